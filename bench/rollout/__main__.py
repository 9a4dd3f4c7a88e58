"""Undo under load: `python -m bench.rollout [--tries 100] [--runs 3] [--only local,...,hand-over]`.

Writes `bench/results/rollout.json` and `docs/benchmarks-rollout.md`. Each try promotes a new
version under load, takes it back with one call of the API (`POST /rollouts/sms/undo`, as
`shieldctl rollout undo` makes it), and notes when it answered a user for the last time. API,
operator and each version's model server are processes of their own; users scan without pause. Each
run has servers, database and API server of its own; the aim is held against the tries of all runs.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from bench.ending import end_in_order
from bench.rollout import hand_over, many, sabotage
from bench.rollout.load import Load
from bench.rollout.packages import make_version
from bench.rollout.report import GOAL_MS, Aim, shared_machine, write
from shield.labels import ModelType
from tests.support import stands
from tests.support.rollouts import spec
from tests.support.stands import Stand

STANDS = {"local": stands.laptop, "kubernetes": stands.cluster}


def undo_times(stand: Stand, tries: int) -> tuple[list[float], Load]:
    """Promote and take back `tries` versions under load; return milliseconds, and the load."""
    first = make_version(stand.folder, 1)
    stand.prepare(first)
    stand.store.change_spec("sms", lambda _: spec(guard_seconds=3600.0, version=first))
    stand.until_stable(first)
    load = Load(stand).start()
    times: list[float] = []
    with stand.client("admin", "admin") as admin:
        for number in range(2, tries + 2):
            bad = make_version(stand.folder, number)
            stand.prepare(bad)
            stand.ask(version=bad, promote=bad.digest)
            stand.until_stable(bad)
            while load.last_answer_of(bad.name) is None:
                time.sleep(0.005)
            time.sleep(0.2)
            began = time.monotonic()
            admin.undo_rollout(ModelType.SMS, "It flags my bank.")
            stand.until_stable(first)
            time.sleep(0.5)
            last = load.last_answer_of(bad.name)
            assert last is not None
            times.append(max(0.0, last - began) * 1000)
            stand.ask(version=first)
            sys.stderr.write(f"  {number - 1}/{tries}: {times[-1]:.0f} ms\n")
    load.stop()
    for what in load.failed[:5]:
        sys.stderr.write(f"  failed: {what}\n")
    return times, load


def _spread(times: list[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "p50": _quantile(ordered, 0.5),
        "p99": _quantile(ordered, 0.99),
        "max": round(ordered[-1], 1),
    }


def _quantile(ordered: list[float], share: float) -> float:
    return round(ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))], 1)


def measure_undo(mode: str, tries: int, runs: int) -> None:
    """Measure one way of running, `runs` times from the start, and write the result."""
    before = os.getloadavg()[0]
    by_run: list[list[float]] = []
    answered = failed = 0
    for run in range(1, runs + 1):
        sys.stderr.write(f"{mode}: run {run} of {runs}, load average {os.getloadavg()[0]:.1f}\n")
        with (
            tempfile.TemporaryDirectory(prefix="shield-bench-") as folder,
            STANDS[mode](Path(folder)) as stand,
        ):
            times, load = undo_times(stand, tries)
        by_run.append(times)
        answered, failed = answered + len(load.answers), failed + len(load.failed)
    all_times = [each for times in by_run for each in times]
    figures = {
        "tries": len(all_times),
        "undo_to_last_bad_answer_ms": _spread(all_times),
        "runs": [_spread(times) for times in by_run],
        "requests": answered + failed,
        "failed_requests": failed,
        "load_average_before": round(before, 1),
    }
    p99 = _spread(all_times)["p99"]
    name = f"undo to the last bad answer, p99 of {len(all_times)} tries (ms)"
    write(
        mode,
        figures,
        [
            Aim(name, GOAL_MS, p99, shared_machine(before)),
            Aim(f"failed requests of {answered + failed}", 0, failed),
        ],
    )


def main() -> None:
    """Measure, and write the results."""
    parser = argparse.ArgumentParser(prog="python -m bench.rollout", description=__doc__)
    parser.add_argument("--tries", type=int, default=100, help="undos of each run")
    parser.add_argument("--runs", type=int, default=3, help="of the undos")
    parser.add_argument("--rollouts", type=int, default=1000)
    parser.add_argument("--only", default="local,kubernetes,many,sabotage,hand-over")
    parser.add_argument("--hand-overs", type=int, default=10)
    given = parser.parse_args()
    for part in given.only.split(","):
        if part == "many":
            many.measure_many(given.rollouts)
        elif part == "sabotage":
            sabotage.measure_sabotage()
        elif part == "hand-over":
            hand_over.measure_hand_over(given.hand_overs)
        else:
            measure_undo(part, given.tries, given.runs)


if __name__ == "__main__":
    end_in_order()
    main()
