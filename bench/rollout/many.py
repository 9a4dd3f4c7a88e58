"""1,000 ModelRollouts and one operator, on a real API server.

Measured: the time from a change of a spec to the status that answers it, while all the others
stand by; the operator's own reconcile times, its memory, its CPU at rest, and its calls of the API
server.
"""

import os
import random
import re
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from bench.rollout.report import Aim, write
from shield.errors import Unavailable
from tests.support.controlplane import control_plane
from tests.support.controlplane.fixtures import CRD
from tests.support.operators import Ward, operating, ward
from tests.support.ports import free_ports
from tests.support.rollouts import version

GOAL_SECONDS = 2.0
_REST_SECONDS = 30
_WORST_BUCKET = 5.0


def measure(place: Ward, rollouts: int, changes: int, port: int, pid: int) -> dict[str, Any]:
    """Create the rollouts, wait until all serve, then change some of them one after the other."""
    names = [f"sms-{number}" for number in range(rollouts)]
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda name: place.ask(name, version=version("sms-v1")), names))
    created = time.monotonic() - began
    while True:
        serving = sum(1 for one in place.store.list() if one.status.stable is not None)
        sys.stderr.write(f"  {serving}/{rollouts} serve after {time.monotonic() - began:.0f} s\n")
        if serving == rollouts:
            break
        time.sleep(5)
    settled = time.monotonic() - began
    time.sleep(10)
    calls, cpu = _calls(port), _cpu_seconds(pid)
    time.sleep(_REST_SECONDS)
    at_rest = {verb: count - calls.get(verb, 0) for verb, count in _calls(port).items()}
    share = (_cpu_seconds(pid) - cpu) / _REST_SECONDS
    times = sorted(_answer_times(place, names, changes))
    return {
        "rollouts": rollouts,
        "created_seconds": round(created, 1),
        "all_serve_seconds": round(settled, 1),
        "changes": changes,
        "spec_to_status_seconds": {
            "p50": round(times[len(times) // 2], 3),
            "p99": round(times[round(0.99 * (len(times) - 1))], 3),
        },
        "reconcile_seconds_p99_at_most": _reconcile_p99(port),
        "at_rest": {
            "seconds": _REST_SECONDS,
            "calls_by_verb": {verb: count for verb, count in at_rest.items() if count},
            "cpu_share_of_one_core": round(share, 3),
        },
        "calls_by_verb": _calls(port),
        "memory_peak_mib": _peak_mib(pid),
    }


def _answer_times(place: Ward, names: list[str], changes: int) -> list[float]:
    """Return the seconds from each change of a spec to the status that has seen it."""
    answered: dict[str, tuple[int, float]] = {}
    stop = threading.Event()

    def follow() -> None:
        with suppress(Unavailable):  # the control plane goes away at the end
            for one in place.store.watch(60.0):
                answered[one.name] = (one.status.observed_generation, time.monotonic())
                if stop.is_set():
                    return

    threading.Thread(target=follow, daemon=True).start()
    while len(answered) < len(names):
        time.sleep(0.05)
    times = []
    chance = random.Random(7)
    for number in range(changes):
        name = chance.choice(names)
        asked = time.monotonic()
        generation = place.ask(name, guard_seconds=float(number + 1)).generation
        while answered[name][0] < generation:
            time.sleep(0.002)
        times.append(answered[name][1] - asked)
        time.sleep(0.05)
    stop.set()
    return times


def _metrics(port: int) -> str:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    text: str = opener.open(f"http://127.0.0.1:{port}/metrics").read().decode()
    return text


def _calls(port: int) -> dict[str, int]:
    pattern = r'^shield_operator_api_calls\{verb="(\w+)"\} (\S+)$'
    return {
        verb: int(float(count)) for verb, count in re.findall(pattern, _metrics(port), re.MULTILINE)
    }


def _reconcile_p99(port: int) -> float | None:
    """Return the bound of the histogram's bucket that holds 99 % of all reconciles, if one does."""
    pattern = r'^shield_operator_reconcile_seconds_bucket\{le="([^"]+)"\} (\S+)$'
    buckets = [
        (float(bound), float(count))
        for bound, count in re.findall(pattern, _metrics(port), re.MULTILINE)
    ]
    total = buckets[-1][1]
    return next((bound for bound, count in buckets[:-1] if count >= 0.99 * total), None)


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _peak_mib(pid: int) -> int:
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return round(int(found[1]) / 1024)


def measure_many(rollouts: int, changes: int = 100) -> None:
    """Measure, and write the result."""
    sys.stderr.write(f"many: {rollouts} rollouts\n")
    (port,) = free_ports(1)
    before = os.getloadavg()[0]
    with (
        tempfile.TemporaryDirectory(prefix="shield-many-") as folder,
        control_plane(Path(folder) / "plane") as plane,
    ):
        plane.run("apply", "--server-side", "-f", str(CRD))
        plane.run("wait", "--for=condition=Established", "crd/modelrollouts.antispamshield.io")
        with ward(plane, Path(folder)) as place:
            place.environment["SHIELD_OPERATOR_METRICS_PORT"] = str(port)
            with operating(place) as process:
                figures = measure(place, rollouts, changes, port, process.pid)
    p99 = figures["spec_to_status_seconds"]["p99"]
    name = f"{rollouts:,} ModelRollouts: from a changed spec to the status that answers it, p99 (s)"
    write(
        "many",
        {**figures, "load_average_before": round(before, 1)},
        [
            Aim(name, GOAL_SECONDS, p99),
            Aim(
                f"{rollouts:,} ModelRollouts: one reconcile, p99 at most (s)",
                GOAL_SECONDS,
                figures["reconcile_seconds_p99_at_most"] or _WORST_BUCKET,
            ),
        ],
    )
