"""1,000 ModelRollouts and one operator: `python -m bench.rollout.many [--rollouts 1000]`.

Adds to `bench/results/rollout.json`: time from a change of a spec to the status that answers it,
while a thousand others stand by; the operator's own reconcile times, memory, and calls of the API
server.
"""

import argparse
import json
import random
import re
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.rollout.__main__ import RESULT, write
from tests.cluster.controlplane import control_plane
from tests.support.controlplane import CRD
from tests.support.operators import Ward, operating, ward
from tests.support.ports import free_ports
from tests.support.rollouts import spec, version

GOAL_SECONDS = 2.0


def measure(place: Ward, rollouts: int, changes: int, port: int) -> dict[str, Any]:
    """Create the rollouts, wait until all serve, then change some of them one after the other."""
    names = [f"sms-{number}" for number in range(rollouts)]
    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: place.ask(name, **_first()), names))
    created = time.monotonic() - began
    while True:
        serving = sum(1 for one in place.store.list() if one.status.stable is not None)
        sys.stderr.write(f"  {serving}/{rollouts} serve after {time.monotonic() - began:.0f} s\n")
        if serving == rollouts:
            break
        time.sleep(5)
    settled = time.monotonic() - began
    calls = _metrics(port)["calls"]
    time.sleep(20)
    idle = (_metrics(port)["calls"] - calls) / 20
    answered: dict[str, tuple[int, float]] = {}
    stop = threading.Event()

    def follow() -> None:
        while not stop.is_set():
            for one in place.store.watch(2.0):
                answered[one.name] = (one.status.observed_generation, time.monotonic())

    threading.Thread(target=follow, daemon=True).start()
    time.sleep(3)
    times = []
    chance = random.Random(7)
    for number in range(changes):
        name = chance.choice(names)
        asked = time.monotonic()
        generation = place.ask(name, guard_seconds=float(number + 1)).generation
        while answered.get(name, (0, 0.0))[0] < generation:
            time.sleep(0.002)
        times.append(answered[name][1] - asked)
        time.sleep(0.05)
    stop.set()
    ordered = sorted(times)
    return {
        "rollouts": rollouts,
        "created_seconds": round(created, 1),
        "all_serve_seconds": round(settled, 1),
        "changes": changes,
        "spec_to_status_seconds": {
            "p50": ordered[len(ordered) // 2],
            "p99": ordered[round(0.99 * (len(ordered) - 1))],
        },
        "idle_api_calls_per_second": idle,
        **_metrics(port),
    }


def _first() -> dict[str, object]:
    wanted = spec("sms-v1")
    return {"version": version("sms-v1"), "replicas": wanted.replicas}


def _metrics(port: int) -> dict[str, float]:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    text = opener.open(f"http://127.0.0.1:{port}/metrics").read().decode()
    calls = re.findall(r"^shield_operator_api_calls\{.*\} (\S+)$", text, re.MULTILINE)
    count = re.findall(r"^shield_operator_reconcile_seconds_count (\S+)$", text, re.MULTILINE)
    return {"calls": sum(map(float, calls)), "reconciles": float(count[0])}


def main() -> None:
    """Measure, and add the result."""
    parser = argparse.ArgumentParser(prog="python -m bench.rollout.many", description=__doc__)
    parser.add_argument("--rollouts", type=int, default=1000)
    parser.add_argument("--changes", type=int, default=100)
    given = parser.parse_args()
    (port,) = free_ports(1)
    with (
        tempfile.TemporaryDirectory(prefix="shield-many-") as folder,
        control_plane(Path(folder) / "plane") as plane,
    ):
        plane.run("apply", "--server-side", "-f", str(CRD))
        plane.run("wait", "--for=condition=Established", "crd/modelrollouts.antispamshield.io")
        with ward(plane, Path(folder)) as place:
            place.environment["SHIELD_OPERATOR_METRICS_PORT"] = str(port)
            with operating(place) as process:
                figures = measure(place, given.rollouts, given.changes, port)
                status = Path(f"/proc/{process.pid}/status").read_text()
                found = re.search(r"VmHWM:\s+(\d+) kB", status)
                figures["memory_mib"] = round(int(found[1]) / 1024) if found else None
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {"figures": {}}
    result["figures"]["many"] = figures
    p99 = figures["spec_to_status_seconds"]["p99"]
    name = f"1,000 ModelRollouts: spec to status, p99 (s), with {given.rollouts}"
    result["aims"] = [
        {"name": name, "goal": GOAL_SECONDS, "measured": p99, "met": p99 <= GOAL_SECONDS}
    ]
    write(result)


if __name__ == "__main__":
    main()
