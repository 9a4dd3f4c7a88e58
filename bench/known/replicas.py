"""From a decision on one replica to the changed answer of another, over PostgreSQL under load."""

import random
import string
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import numpy as np

from bench.outcome import Aim, Outcome
from shield.client import ShieldClient
from shield.labels import FeedbackType, ScanType
from shield.wire import DecidedBy, ReviewAction, ScanRead
from tests.support.replicas import Replicas, replicas
from tests.support.waiting import wait_until

SCANS_PER_SECOND = 100
LIMIT_SECONDS = 1.0
_THREADS = 8
_LETTERS = string.ascii_lowercase.replace("w", "")


def run(folder: Path, *, seed: int, short: bool) -> Outcome:
    """Decide on replica 0, ask replica 1 until it answers otherwise, take it back, ask again."""
    rng = random.Random(seed)
    times: dict[str, list[float]] = {"marked": [], "answered": [], "undone": []}
    with replicas(folder) as world, _Load(world, rng.random()) as load, ExitStack() as stack:
        people = {
            name: stack.enter_context(world.client(0, name, *roles))
            for name, roles in (
                ("ann", ("user",)),
                ("cat", ("user",)),
                ("rita", ("reviewer",)),
                ("otto", ("reviewer",)),
            )
        }
        bob = stack.enter_context(world.client(1, "bob"))
        for _ in range(5 if short else 100):
            _round(people, bob, _message(rng), times)
        rate = load.rate()
    figures = {
        name: {
            "p50_ms": round(1000 * float(np.median(each)), 1),
            "p99_ms": round(1000 * float(np.quantile(each, 0.99)), 1),
            "decisions": len(each),
        }
        for name, each in times.items()
    }
    told = ", ".join(f"{name} {each['p99_ms']:.0f} ms" for name, each in figures.items())
    return Outcome(
        {**figures, "scans_per_second": round(rate, 1)},
        [
            Aim(
                "decision, second decision and undo to the changed answer of another replica, p99",
                f"<= {1000 * LIMIT_SECONDS:.0f} ms under {SCANS_PER_SECOND} scans a second",
                f"{told}, under {rate:.0f} scans a second",
                all(each["p99_ms"] <= 1000 * LIMIT_SECONDS for each in figures.values())
                and rate >= 0.95 * SCANS_PER_SECOND,
                "From the moment the reviewer's request is answered, the scan that shows it "
                "included; two API processes, database and load share the machine.",
            )
        ],
    )


def _message(rng: random.Random) -> str:
    # Without "w": the model calls whatever says "win" a scam.
    words = ["".join(rng.choices(_LETTERS, k=rng.randint(4, 8))) for _ in range(12)]
    return f"{' '.join(words)} https://fee-{rng.randrange(10**6)}.example/a"


def _round(
    people: dict[str, ShieldClient], bob: ShieldClient, text: str, times: dict[str, list[float]]
) -> None:
    reports = [
        people[name].send_feedback(
            people[name].scan(ScanType.TEXT, text).id, FeedbackType.FALSE_NEGATIVE
        )
        for name in ("ann", "cat")
    ]
    copy = text.upper()

    def until(name: str, seen: Callable[[ScanRead], bool]) -> None:
        began = time.monotonic()
        wait_until(lambda: seen(bob.scan(ScanType.TEXT, copy)), pause_seconds=0.005)
        times[name].append(time.monotonic() - began)

    people["rita"].review(reports[0].id, ReviewAction.APPROVE)
    until("marked", lambda scan: scan.known is not None)
    people["otto"].review(reports[1].id, ReviewAction.APPROVE)
    until("answered", lambda scan: scan.decided_by is DecidedBy.REVIEWERS)
    entry = bob.scan(ScanType.TEXT, copy).known
    assert entry is not None
    people["rita"].undo_known(entry.id, "bench")
    until("undone", lambda scan: scan.known is None)


class _Load:
    """Scans at an even pace on both replicas."""

    def __init__(self, world: Replicas, seed: float) -> None:
        self._world, self._stop, self._seed = world, threading.Event(), seed
        self._count, self._began = 0, time.monotonic()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=self._send, args=(number,)) for number in range(_THREADS)
        ]

    def __enter__(self) -> "_Load":
        """Begin."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """End."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def rate(self) -> float:
        """Return scans per second so far."""
        return self._count / (time.monotonic() - self._began)

    def _send(self, number: int) -> None:
        rng = random.Random(f"{self._seed} {number}")
        pause = _THREADS / SCANS_PER_SECOND
        due = time.monotonic()
        with self._world.client(number % 2, f"phone-{number}") as phone:
            while not self._stop.is_set():
                phone.scan(ScanType.TEXT, _message(rng))
                with self._lock:
                    self._count += 1
                due = max(due + pause, time.monotonic() - 1)
                self._stop.wait(max(0.0, due - time.monotonic()))
