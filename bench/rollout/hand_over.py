"""Hand-over between operators under load: killed, and told to end."""

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from bench.rollout.load import Load
from bench.rollout.packages import make_version
from bench.rollout.report import Aim, shared_machine, write
from shield.labels import ModelType
from tests.support import stands
from tests.support.rollouts import spec

GOAL_SECONDS = 15.0


def measure_hand_over(tries: int) -> None:
    """End the leading operator again and again while a version is promoted and taken back.

    Each try ends with what only the next leader can do: a promotion, or the record of an undo.
    """
    before = os.getloadavg()[0]
    sys.stderr.write(f"hand-over: {tries} tries of each kind, load average {before:.1f}\n")
    took: dict[str, list[float]] = {"SIGKILL": [], "SIGTERM": []}
    with (
        tempfile.TemporaryDirectory(prefix="shield-bench-") as name,
        stands.cluster(Path(name), operators=2) as stand,
        stand.client("admin", "admin") as admin,
    ):
        first = make_version(stand.folder, 1)
        stand.prepare(first)
        stand.store.change_spec("sms", lambda _: spec(guard_seconds=3600.0, version=first))
        stand.until_stable(first)
        load = Load(stand).start()
        for number in range(2, tries + 2):
            version = make_version(stand.folder, number)
            stand.prepare(version)
            stand.ask(version=version, promote=version.digest)
            took["SIGKILL"].append(stand.hand_over(signal.SIGKILL))
            stand.until_stable(version)
            took["SIGTERM"].append(stand.hand_over(signal.SIGTERM))
            admin.undo_rollout(ModelType.SMS, "It flags my bank.")
            stand.until_stable(first)
            stand.ask(version=first)
            time.sleep(1)
            told = ", ".join(f"{how} {seconds[-1]:.1f} s" for how, seconds in took.items())
            sys.stderr.write(f"  {number - 1}/{tries}: {told}\n")
        load.stop()
    requests = len(load.answers) + len(load.failed)
    figures = {
        "tries": tries,
        "seconds_to_the_next_leader": {
            how: {
                "longest": round(max(seconds), 2),
                "median": round(sorted(seconds)[tries // 2], 2),
            }
            for how, seconds in took.items()
        },
        "requests": requests,
        "failed_requests": len(load.failed),
    }
    longest = max(max(seconds) for seconds in took.values())
    write(
        "hand-over",
        {**figures, "load_average_before": round(before, 1)},
        [
            Aim(
                f"of two operators, until the other leads, longest of {2 * tries} (s)",
                GOAL_SECONDS,
                round(longest, 1),
                shared_machine(before),
            ),
            Aim(f"failed requests of {requests}", 0, len(load.failed)),
        ],
    )
