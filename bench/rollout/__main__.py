"""Undo under load: `python -m bench.rollout [--tries 50] [--modes local,kubernetes]`.

Writes `bench/results/rollout.json`. Each try promotes a new version under load, takes it back with
one change of the spec, and notes when it answered for the last time. Every version is served by a
model server process of its own; users ask without pause and are routed as the API routes them.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.rollout.load import Load
from bench.rollout.packages import make_version
from serving.operator.processes import model_server_command
from shield.crds.v1alpha1 import ModelRollout, ModelRolloutSpec, VersionRef
from shield.rollouts import RolloutStore
from shield.rollouts.kubernetes import KubernetesRolloutStore
from shield.rollouts.table import TableRolloutStore, rollout_engine
from tests.cluster.controlplane import control_plane
from tests.support.controlplane import CRD
from tests.support.packages import signed_package
from tests.support.rollouts import spec

RESULT = Path(__file__).parents[1] / "results/rollout.json"
GOAL_MS = 250.0
DOCUMENTED = {
    "Argo Rollouts": "an abort sets the canary weight to 0 at once through the traffic router; a "
    "rollback after promotion is a new deploy, without steps inside rollbackWindow",
    "Flagger": "faults are noticed once per analysis interval (1 min in the examples), and the "
    "canary is rolled back after `threshold` failed checks (5 in the examples)",
    "KServe": "canaryTrafficPercent: 0 moves the traffic to the previous revision",
}

Prepare = Callable[[VersionRef], None]


@contextmanager
def local(folder: Path) -> Iterator[tuple[RolloutStore, Prepare]]:
    """The operator of a laptop, with a table."""
    url = f"sqlite:///{folder}/shield.db"
    store = TableRolloutStore(rollout_engine(url))
    store.create_table()
    settings = {"SHIELD_DATABASE_URL": url, "SHIELD_OPERATOR_LOG_DIR": f"{folder}/logs"}
    with _process(folder, settings, "-m", "serving.operator.local"):
        yield store, lambda _: None


@contextmanager
def kubernetes(folder: Path) -> Iterator[tuple[RolloutStore, Prepare]]:
    """The operator of a cluster, with a real API server; the model servers are processes."""
    addresses = folder / "addresses.json"
    servers: dict[str, subprocess.Popen[bytes]] = {}
    addresses.write_text("{}")
    with control_plane(folder / "plane") as plane:
        plane.run("apply", "--server-side", "-f", str(CRD))
        plane.run("wait", "--for=condition=Established", "crd/modelrollouts.antispamshield.io")
        plane.run("create", "namespace", "shield")
        store = KubernetesRolloutStore(plane.connect("shield"))

        def prepare(version: VersionRef) -> None:
            if len(servers) > 2:  # the first and the latest are in use
                servers.pop(list(servers)[1]).terminate()
            ready = folder / f"{version.name}.ready"
            rollout = ModelRollout(name="sms", uid="bench", resource_version="1", spec=spec())
            command = [*model_server_command(rollout, version), "--ready-file", str(ready)]
            with (folder / f"{version.name}.log").open("wb") as log:
                servers[version.digest] = subprocess.Popen(
                    command, env=_environment(folder), stdout=log, stderr=log
                )
            while not ready.exists():
                time.sleep(0.02)
            known = json.loads(addresses.read_text())
            known[version.digest] = f"http://127.0.0.1:{json.loads(ready.read_text())['port']}"
            addresses.write_text(json.dumps(known))

        settings = {
            "KUBECONFIG": str(plane.kubeconfig),
            "SHIELD_OPERATOR_NAMESPACE": "shield",
        }
        try:
            with _process(folder, settings, "-m", "bench.rollout.operator", str(addresses)):
                yield store, prepare
        finally:
            for server in servers.values():
                server.kill()


def undo_times(store: RolloutStore, prepare: Prepare, folder: Path, tries: int) -> dict[str, Any]:
    """Promote and take back `tries` versions under load."""
    first = make_version(folder, 1)
    prepare(first)
    change(store, version=first)
    until(store, lambda it: it.status.stable == first)
    load = Load(store).start()
    times: list[float] = []
    for number in range(2, tries + 2):
        bad = make_version(folder, number)
        prepare(bad)
        change(store, version=bad, promote=bad.digest)
        until(store, lambda it, bad=bad: it.status.stable == bad)  # type: ignore[misc]
        while load.last_answer_of(bad.name) is None:
            time.sleep(0.005)
        time.sleep(0.2)
        began = time.monotonic()
        change(store, undo=f"try-{number}", undo_reason="benchmark")
        until(store, lambda it: it.status.stable == first)
        time.sleep(0.6)
        last = load.last_answer_of(bad.name)
        assert last is not None
        times.append(max(0.0, last - began) * 1000)
        change(store, version=first)
        sys.stderr.write(f"  {number - 1}/{tries}: {times[-1]:.0f} ms\n")
    load.stop()
    ordered = sorted(times)
    return {
        "tries": tries,
        "undo_to_last_bad_answer_ms": {
            "p50": _quantile(ordered, 0.5),
            "p99": _quantile(ordered, 0.99),
            "max": ordered[-1],
        },
        "requests": len(load.answers),
        "failed_requests": load.failed,
    }


def change(store: RolloutStore, **fields: object) -> ModelRollout:
    """Change the spec as the API does."""

    def edit(was: ModelRolloutSpec | None) -> ModelRolloutSpec:
        return (was or spec("unused", guard_seconds=3600.0)).model_copy(update=fields)

    return store.change_spec("sms", edit)


def until(store: RolloutStore, holds: Callable[[ModelRollout], bool], seconds: float = 120) -> None:
    """Wait for a state of the rollout."""
    deadline = time.monotonic() + seconds
    while not holds(found := store.get("sms")):
        if time.monotonic() > deadline:
            raise SystemExit(f"it did not get there: {found.status.model_dump_json()}")
        time.sleep(0.01)


@contextmanager
def _process(folder: Path, settings: dict[str, str], *arguments: str) -> Iterator[None]:
    with (folder / "operator.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env={**_environment(folder), **settings},
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        process.terminate()
        process.wait(30)


def _environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "SHIELD_TRUSTED_KEYS": str(signed_package().trusted_keys),
        "SHIELD_SERVER_CACHE_DIR": str(folder / "cache"),
        "SHIELD_SERVER_THREADS": "1",
        "SHIELD_API_URL": "http://127.0.0.1:9",
        "SHIELD_OPERATOR_DRAIN_SECONDS": "1",
    }


def _quantile(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]


def main() -> None:
    """Measure, and write the result."""
    parser = argparse.ArgumentParser(prog="python -m bench.rollout", description=__doc__)
    parser.add_argument("--tries", type=int, default=50)
    parser.add_argument("--modes", default="local,kubernetes")
    given = parser.parse_args()
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {"figures": {}}
    for mode in given.modes.split(","):
        sys.stderr.write(f"{mode}: {given.tries} tries, load average {os.getloadavg()[0]:.1f}\n")
        with tempfile.TemporaryDirectory(prefix="shield-bench-") as name:
            folder = Path(name)
            opened = {"local": local, "kubernetes": kubernetes}[mode]
            with opened(folder) as (store, prepare):
                figures = undo_times(store, prepare, folder, given.tries)
        result["figures"][mode] = {**figures, "load_average": os.getloadavg()[0]}
    write(result)


def write(result: dict[str, Any]) -> None:
    """Write the result with its aims."""
    aims = []
    for mode, figures in result["figures"].items():
        if "undo_to_last_bad_answer_ms" not in figures:
            continue
        p99, failed = figures["undo_to_last_bad_answer_ms"]["p99"], figures["failed_requests"]
        name = f"{mode}: undo to the last bad answer, p99 of {figures['tries']} tries (ms)"
        aims.append({"name": name, "goal": GOAL_MS, "measured": p99, "met": p99 <= GOAL_MS})
        name = f"{mode}: failed requests of {figures['requests']}"
        aims.append({"name": name, "goal": 0, "measured": failed, "met": failed == 0})
    result.update(
        machine={"cpus": os.cpu_count(), "python": platform.python_version()},
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        documented_elsewhere=DOCUMENTED,
        aims=[*aims, *[one for one in result.get("aims", []) if one["name"].startswith("1,000")]],
    )
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
