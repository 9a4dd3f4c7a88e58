"""The people of the story: each has a token and talks HTTP, as the phone app and the browser do.

Most report what they see; some lie, as scammers do who want their own messages to pass. What a
reviewer thinks of a message is simulated by its true label; all else about a review is real.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

import httpx

from cli.demo.corpus import Message
from cli.home import Home
from cli.session import mint
from shield.client import ShieldClient
from shield.errors import AlreadyReviewed, Conflict, Forbidden
from shield.labels import FeedbackType, ModelType, ScanType, is_positive
from shield.wire import FeedbackStatus, PendingItem, ReviewAction, ScanRead

_TOKEN_SECONDS = 3600.0
_KEEP_ALIVE_SECONDS = 2.0
"""Shorter than the server's: no request may meet a connection that is just being closed."""


class CountingTransport(httpx.BaseTransport):
    """Carries every request of the story and counts those that failed.

    A failure is no answer, an answer of 5xx, or a scan that was refused. Other 4xx answers are part
    of the story: a second review of one item is told so.
    """

    def __init__(self) -> None:
        limits = httpx.Limits(
            max_connections=64, max_keepalive_connections=32, keepalive_expiry=_KEEP_ALIVE_SECONDS
        )
        self._wire = httpx.HTTPTransport(limits=limits)
        self._lock = threading.Lock()
        self.requests = 0
        self.failures: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request."""
        try:
            answer = self._wire.handle_request(request)
        except httpx.TransportError as error:
            self._count(f"{request.method} {request.url.path}: {error!r}")
            raise
        scan = request.method == "POST" and request.url.path.endswith("/scans")
        failed = answer.status_code >= 500 or (scan and answer.status_code >= 400)
        self._count(
            f"{request.method} {request.url.path}: {answer.status_code}" if failed else None
        )
        return answer

    def _count(self, failure: str | None) -> None:
        with self._lock:
            self.requests += 1
            if failure:
                self.failures.append(failure)

    def close(self) -> None:
        """Leave the connections open: many clients share them; `hang_up` closes them."""

    def hang_up(self) -> None:
        """Close all connections."""
        self._wire.close()


@dataclass
class Person:
    """One user of the phone app, or one reviewer."""

    name: str
    client: ShieldClient
    liar: bool = False


@dataclass
class Town:
    """Everybody in the story."""

    home: Home
    url: str
    transport: CountingTransport
    users: list[Person] = field(default_factory=list)
    reviewers: list[Person] = field(default_factory=list)

    def settle(self, chance: random.Random, *, users: int, liars: int) -> None:
        """Let users and three reviewers move in; all users agree that reviewers may read along."""
        self.users = [self.person(f"user-{number:03d}", "user") for number in range(users)]
        for person in chance.sample(self.users, liars):
            person.liar = True
        for person in self.users:
            person.client.set_consent(True)
        self.reviewers = [self.person(name, "reviewer") for name in ("rosa", "ramon", "ruth")]

    def person(self, name: str, *roles: str) -> Person:
        """Return somebody with a token of their own."""
        token = mint(self.home, name, roles, lifetime_seconds=_TOKEN_SECONDS)
        return Person(name, ShieldClient(self.url, token, transport=self.transport))


@dataclass
class Reports:
    """What came of a round of scanning."""

    scans: int = 0
    missed: int = 0
    honest: int = 0
    lies: int = 0


def meet(
    town: Town,
    messages: Sequence[Message],
    chance: random.Random,
    show: Callable[[str], None] = lambda line: None,
) -> Reports:
    """Let users scan messages and say what they think of the verdicts.

    Honest users report every error and confirm some of what was right; liars claim the opposite of
    the truth. `show` is called with what is done, and how long the rest takes.
    """
    reports, began = Reports(), time.monotonic()
    for message, number in zip(messages, count(), strict=False):
        person = chance.choice(town.users)
        scan = person.client.scan(ScanType.TEXT, message.text)
        reports.scans += 1
        left = (time.monotonic() - began) / reports.scans * (len(messages) - reports.scans)
        show(f"   {reports.scans} of {len(messages)} messages scanned, about {left:.0f} s left")
        scam = is_positive(scan.model_type, scan.verdict)
        reports.missed += message.scam and not scam
        claim = claim_of(person, scan, message)
        if claim is FeedbackType.CONFIRMED and number % 2 and not person.liar:
            continue  # not everybody bothers to say that something was right
        person.client.send_feedback(scan.id, claim)
        if person.liar:
            reports.lies += 1
        else:
            reports.honest += 1
    return reports


def claim_of(person: Person, scan: ScanRead, message: Message) -> FeedbackType:
    """Return what a person says of a verdict: the truth, or its opposite from a liar."""
    scam = is_positive(scan.model_type, scan.verdict)
    believed = message.scam != person.liar
    if scam == believed:
        return FeedbackType.CONFIRMED
    return FeedbackType.FALSE_POSITIVE if scam else FeedbackType.FALSE_NEGATIVE


@dataclass
class Decisions:
    """What the reviewers did."""

    approved: int = 0
    rejected: int = 0


class ReviewRoom:
    """Reviewers at work: they see the queue over HTTP and decide by the true label."""

    def __init__(self, town: Town, truth: dict[str, bool]) -> None:
        self._town = town
        self._truth = truth
        self.decisions = Decisions()

    def clear(self) -> Decisions:
        """Decide everything that waits, second looks included, and return what was decided."""
        before = Decisions(self.decisions.approved, self.decisions.rejected)
        busy = True
        while busy:
            busy = False
            for reviewer in self._town.reviewers:
                for item in reviewer.client.pending(model_type=ModelType.SMS, limit=100):
                    busy = self._decide(reviewer, item) or busy
        return Decisions(
            self.decisions.approved - before.approved, self.decisions.rejected - before.rejected
        )

    def _decide(self, reviewer: Person, item: PendingItem) -> bool:
        truth = self._truth.get(item.scan.text)
        if truth is None:
            return False
        right = is_positive(item.model_type, item.corrected_label) == truth
        action = ReviewAction.APPROVE if right else ReviewAction.REJECT
        try:
            decided = reviewer.client.review(item.id, action)
        except (AlreadyReviewed, Conflict, Forbidden):
            return False
        # A share of the items stays pending: a second reviewer looks at them blind.
        self.decisions.approved += decided.status is FeedbackStatus.APPROVED
        self.decisions.rejected += decided.status is FeedbackStatus.REJECTED
        return True
