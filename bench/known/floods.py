"""A day of floods: of the copies that come after the decision, how many are warned?

Real scams that the model here does not find come in disguised copies over a day, between real
harmless messages. One victim in ten reports; two reviewers look at the queue every twenty minutes
in turn. Beside it stands the way without known campaigns: nobody is warned on that day, since the
next model comes on Monday.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from api.feedback import service as feedback
from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.paging import PageRequest
from api.kit.tokens import Role
from api.review import decisions, queue
from api.scans import service as scans
from bench.learning import evasions
from bench.learning.lab import sms_heads
from bench.outcome import Aim, Outcome
from shield.errors import Conflict, Forbidden
from shield.labels import FeedbackType, ModelType, ScanType
from shield.reasons import Reader
from shield.wire import (
    DecidedBy,
    FeedbackRequest,
    KnownStanding,
    ReviewAction,
    ReviewRequest,
    ScanRead,
    ScanRequest,
)
from tests.support.api import MovableClock, running_services
from tests.support.arms import deploy, model_server
from tests.support.waiting import wait_until

DAY = 86400.0
_REPORTS = 0.1
_LOOK_SECONDS = 1200.0
_SIZES = (12, 200)


def run(folder: Path, *, seed: int, short: bool) -> Outcome:
    """Play one day and count."""
    rng = random.Random(seed)
    floods, harmless = (3, 60) if short else (24, 2500)
    events = _day(rng, floods, harmless)
    with _system(folder) as day:
        told = day.play(events, rng)
    after = told["after"]
    warned = (told["after answered"] + told["after marked"]) / max(1, after)
    flagged = told["harmless flagged"] / harmless
    victims = (told["answered"] + told["marked"]) / max(1, told["copies"])
    return Outcome(
        {name: told[name] for name in sorted(told)},
        [
            Aim(
                "copies after the first decision that are warned",
                ">= 95 %",
                f"{warned:.1%} of {after} ({told['after answered'] / max(1, after):.1%} answered, "
                f"{told['after marked'] / max(1, after):.1%} marked as being checked)",
                warned >= 0.95,
                "Eight kinds of disguise in equal shares; what is missed is mostly paraphrased.",
            ),
            Aim(
                "harmless messages wrongly flagged by known campaigns",
                "<= 0.02 %",
                f"{flagged:.3%} of {harmless} ({told['harmless marked']} marked as being checked)",
                flagged <= 0.0002,
            ),
            Aim(
                "victims of the day who are warned, beside weekly learning alone",
                "more than 0 %, which is what weekly learning reaches on the day",
                f"{victims:.1%} of {told['copies']} in {floods} floods",
                victims > 0,
                f"One in ten reports, and two reviewers look every {_LOOK_SECONDS / 60:.0f} min.",
            ),
        ],
    )


Event = tuple[float, int, str]
"""Second of the day, number of the flood (-1: harmless), message."""


def _day(rng: random.Random, floods: int, harmless: int) -> list[Event]:
    heads = sms_heads()
    scams = heads.filter(pl.col("label") == 1)["text"].to_list()
    hams = heads.filter(pl.col("label") == 0)["text"].to_list()
    kinds = [change for _, change in evasions.BY_MONTH]
    events = [(rng.random() * DAY, -1, text) for text in rng.sample(hams, harmless)]
    for flood, scam in enumerate(rng.sample(scams, floods)):
        low, high = _SIZES
        begin = rng.random() * 0.5 * DAY
        for _ in range(round(low * (high / low) ** rng.random())):
            at = begin + rng.random() * (DAY - begin)
            events.append((at, flood, rng.choice(kinds)(scam, rng)))
    return sorted(events)


class _Day:
    """A system in which the clock is set by the events."""

    def __init__(self, services: Services, clock: MovableClock) -> None:
        self._services, self._clock = services, clock
        self._truth: dict[str, bool] = {}
        self._decided: set[int] = set()
        self._flood_of: dict[str, int] = {}

    def play(self, events: list[Event], rng: random.Random) -> Counter[str]:
        """Let everything happen in order, and count."""
        with asyncio.Runner() as loop:
            return self._play(events, rng, loop)

    def _play(self, events: list[Event], rng: random.Random, loop: asyncio.Runner) -> Counter[str]:
        told: Counter[str] = Counter()
        looks, turn = _LOOK_SECONDS, 0
        begin = self._clock.ahead_seconds
        for number, (at, flood, text) in enumerate(events):
            while looks < at:
                self._clock.ahead_seconds = begin + looks
                self._review(("rita", "otto")[turn % 2])
                looks, turn = looks + _LOOK_SECONDS, turn + 1
            self._clock.ahead_seconds = begin + at
            self._truth[text] = flood >= 0
            user = Principal(f"user-{number}", frozenset({Role.USER}))
            request = ScanRequest(scan_type=ScanType.TEXT, text=text)
            found = loop.run(scans.scan(self._services, user, request, None, Reader("en")))
            self._count(told, found, flood)
            if flood >= 0 and found.verdict == "ham" and rng.random() < _REPORTS:
                self._flood_of[found.id] = flood
                with self._as(f"user-{number}", Role.USER) as ctx:
                    claim = FeedbackType.FALSE_NEGATIVE
                    feedback.submit(
                        ctx, FeedbackRequest(scan_id=found.id, feedback_type=claim), None
                    )
        return told

    def _count(self, told: Counter[str], found: ScanRead, flood: int) -> None:
        answered = found.decided_by is DecidedBy.REVIEWERS and found.verdict == "spam"
        marked = found.known is not None and found.known.standing is KnownStanding.CHECKING
        if flood < 0:
            told["harmless flagged"] += answered
            told["harmless marked"] += marked
            return
        told.update({"copies": 1, "answered": answered, "marked": marked})
        if flood in self._decided:
            told.update({"after": 1, "after answered": answered, "after marked": marked})

    def _review(self, reviewer: str) -> None:
        """Let a reviewer decide all that waits, campaign by campaign."""
        with self._as(reviewer, Role.REVIEWER) as ctx:
            waiting, _, _ = queue.page(
                ctx, PageRequest(limit=200, page=1, cursor=None), by_campaign=True
            )
        for item in waiting:
            action = ReviewAction.APPROVE if self._truth[item.scan.text] else ReviewAction.REJECT
            shown = item.campaign.shown if item.campaign else []
            request = ReviewRequest(action=action, scope="campaign", shown=shown)
            try:
                with self._as(reviewer, Role.REVIEWER) as ctx:
                    decisions.decide(ctx, item.id, request)
            except (Conflict, Forbidden):
                continue
            self._decided.add(self._flood_of[item.scan.id])

    @contextmanager
    def _as(self, name: str, role: Role) -> Iterator[Context]:
        with open_context(self._services, Principal(name, frozenset({role}))) as ctx:
            yield ctx


@contextmanager
def _system(folder: Path) -> Iterator[_Day]:
    clock = MovableClock()
    with (
        model_server(judge=lambda _: 0.05) as model,
        running_services(
            folder, clock=clock, second_review_share=0.1, known_second_look_reports=3
        ) as services,
    ):
        deploy(services.rollouts, model)
        services.router.start()
        try:
            wait_until(lambda: services.router.split(ModelType.SMS))
            yield _Day(services, clock)
        finally:
            services.router.stop()
