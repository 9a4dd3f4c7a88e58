"""Requests that keep flowing through the whole story, and what they prove afterwards.

Every answer is written down with its user, version, arm and time: so the story can show that no
request failed, that a user stays on an arm, and when the last answer of a version was given.
"""

import random
import threading
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from cli.demo.corpus import Message
from cli.demo.people import Person, claim_of
from shield.errors import ShieldError
from shield.labels import FeedbackType, ScanType
from shield.routing import Arm

_THREADS = 4


@dataclass(frozen=True)
class Seen:
    """One answer as its user saw it."""

    user: str
    version: str
    arm: Arm
    at: float
    """When the answer had arrived, `time.monotonic` seconds."""
    milliseconds: float


class Traffic:
    """Users scanning all the time, from a few threads."""

    def __init__(
        self, users: Sequence[Person], messages: Sequence[Message], seed: int, per_second: float
    ) -> None:
        self._users = users
        self._messages = messages
        self._seed = seed
        self.per_second = per_second
        """Scans each second, over all threads; may be changed while running."""
        self.reporting = False
        """Whether honest users report the errors they see."""
        self.seen: list[Seen] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._scan, args=(number,), daemon=True, name=f"users-{number}")
            for number in range(_THREADS)
        ]

    def __enter__(self) -> Self:
        """Start scanning."""
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop scanning."""
        self._over.set()
        for thread in self._threads:
            thread.join(10)

    def bring(self, messages: Sequence[Message]) -> None:
        """Change what users receive from now on."""
        self._messages = messages

    def _scan(self, number: int) -> None:
        chance = random.Random(f"{self._seed}-{number}")
        # A user has one phone: their scans come one after the other, so their order is known.
        users = self._users[number::_THREADS]
        due = time.monotonic()
        while not self._over.is_set():
            due = max(due + _THREADS / self.per_second, time.monotonic() - 1)
            if self._over.wait(max(0.0, due - time.monotonic())):
                return
            person, message = chance.choice(users), chance.choice(self._messages)
            started = time.monotonic()
            try:
                scan = person.client.scan(ScanType.TEXT, message.text)
                now = time.monotonic()
                answer = Seen(
                    person.name, scan.model_version, scan.arm, now, (now - started) * 1000
                )
                with self._lock:
                    self.seen.append(answer)
                claim = claim_of(person, scan, message)
                if self.reporting and not person.liar and claim is not FeedbackType.CONFIRMED:
                    person.client.send_feedback(scan.id, claim)
            except ShieldError:
                continue  # counted by the transport; the next message comes anyway

    def answers(self, since: float = 0.0) -> list[Seen]:
        """Return what was seen at or after a moment, oldest first."""
        with self._lock:
            return sorted(
                (answer for answer in self.seen if answer.at >= since), key=lambda s: s.at
            )


@dataclass(frozen=True)
class Loyalty:
    """How steadily users stayed on their arm while both arms served."""

    users: int
    """Who was seen at least twice."""
    candidate_users: int
    back_and_forth: int
    """Users who left the candidate for the stable version while it was on trial. Must be 0."""


def loyalty(answers: Sequence[Seen], candidate: str) -> Loyalty:
    """Look at every user's answers in the order of time.

    A rising weight moves users to the candidate, once; nobody is ever moved back.
    """
    by_user: dict[str, list[str]] = defaultdict(list)
    for answer in answers:
        by_user[answer.user].append(answer.version)
    often = {user: versions for user, versions in by_user.items() if len(versions) > 1}
    returned = 0
    for versions in often.values():
        first = versions.index(candidate) if candidate in versions else len(versions)
        returned += any(version != candidate for version in versions[first:])
    moved = sum(candidate in versions for versions in often.values())
    return Loyalty(len(often), moved, returned)
