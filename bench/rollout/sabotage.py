"""Sabotaged versions on a running system: refused or taken back, and after how long."""

import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.rollout.packages import make_version
from bench.rollout.report import Aim, write
from tests.support import stands
from tests.support.rollouts import spec
from tests.support.sabotaged import KINDS, People, try_kind

GOAL_SECONDS = 1.0
_ENDINGS = {"reject": "rejected", "undo": "returned", "pause": "held", "wait": "held"}
USERS = 8
"""At a time: five failures in a row must come from somewhere while each waits for its time-out."""


def measure_sabotage() -> None:
    """Try every kind, and write the result."""
    sys.stderr.write(f"sabotage: {len(KINDS)} kinds, load average {os.getloadavg()[0]:.1f}\n")
    before = os.getloadavg()[0]
    kinds: list[dict[str, Any]] = []
    hard: list[float] = []
    with (
        tempfile.TemporaryDirectory(prefix="shield-sabotage-") as folder,
        stands.laptop(Path(folder)) as stand,
        People(stand, threads=USERS).busy() as people,
    ):
        first = make_version(stand.folder, 1)
        stand.store.change_spec("sms", lambda _: spec(version=first))
        stand.until_stable(first)
        while people.answers < 20:  # the first split takes a moment to reach the API
            time.sleep(0.05)
        failed = len(people.failed)  # nobody could be asked before
        for number, kind in enumerate(KINDS, start=2):
            outcome = try_kind(stand, people, first, kind, f"sms-v{number}")
            reason = next(one for one in kind.reasons if one in outcome.decided.reason)
            if kind.hard and outcome.seconds is not None:
                hard.append(outcome.seconds)
            ended = {"reject": "rejected", "pause": "held", "wait": "held"}.get(
                outcome.decided.action, "returned"
            )
            kinds.append(
                {
                    "kind": kind.name,
                    "when": kind.when,
                    "outcome": ended,
                    "reason": reason,
                    "hard": kind.hard,
                    "seconds": outcome.seconds and round(outcome.seconds, 3),
                }
            )
            sys.stderr.write(f"  {kind.name}: {ended}, {reason}, {outcome.seconds}\n")
        answers, unanswered = people.answers, len(people.failed) - failed
        for words in people.failed[failed:][:5]:
            sys.stderr.write(f"  failed: {words}\n")
    write(
        "sabotage",
        {
            "kinds": kinds,
            "users_at_a_time": USERS,
            "answers": answers,
            "failed_requests": unanswered,
            "load_average_before": round(before, 1),
        },
        [
            Aim("kinds that were neither refused, held nor returned", 0, len(KINDS) - len(kinds)),
            Aim(
                "hard faults: first failed request to the decision, longest (s)",
                GOAL_SECONDS,
                max(hard),
            ),
        ],
    )
