"""The chapter of known campaigns: two reviewers decide, and everybody is warned a second later."""

import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from cli.demo.people import Person, Town
from shield.labels import FeedbackType, ScanType, is_positive
from shield.similarity import form, same_campaign
from shield.wire import DecidedBy, KnownStanding, NoticeKind, ReviewAction

WaitFor = Callable[[str, Callable[[], bool | None], float], object]
"""What is waited for, whether it is there, and for how many seconds at most."""
_PATIENCE_SECONDS = 60.0
_TRIES = 40
"""Scams that are tried: those that the model finds, or that are too short, show nothing."""
_LOOK_ALIKES = str.maketrans("AO", "\u0410\u041e")


@dataclass(frozen=True)
class Protected:
    """What one decision did."""

    text: str
    answered_ms: float
    """From the second reviewer's decision to somebody else's answer, both requests included."""
    thanked: str
    """What who reported was told."""
    warned: str
    """What who had been told "harmless" was told."""


def scams_of_today(seed: int) -> list[str]:
    """Return short messages in English, as scams are written today, in an order of chance.

    They are of the judging side of the book of scams, which no model is taught.
    """
    from shield.book import Channel, Side, messages_of, read_book

    book = read_book(languages=["en"])
    written = messages_of(book, Side.JUDGE, channels=(Channel.SMS,), each=1, seed=seed)
    scams = [message.text for message in written if message.scam]
    random.Random(seed).shuffle(scams)
    return scams


def disguised(text: str) -> str:
    """Return a scam as its sender changes it: shouted, with Cyrillic letters for Latin ones.

    Links stay: with look-alike letters they would lead elsewhere.
    """
    return " ".join(
        word if "." in word[:-1] else word.upper().translate(_LOOK_ALIKES) for word in text.split()
    )


def protect(town: Town, scams: Sequence[str], wait_for: WaitFor) -> Protected | None:
    """Let one missed scam be reported and decided; `None` if there is none to show it with.

    Args:
        town: Its users report, its reviewers decide.
        scams: Messages to choose from.
        wait_for: Waits while the system is tended.
    """
    early, later = town.person("early", "user"), town.person("later", "user")
    reporters = [person for person in town.users if not person.liar][:2]
    for text in scams[:_TRIES]:
        told = early.client.scan(ScanType.TEXT, text)
        flagged = told.known or is_positive(told.model_type, told.verdict)
        if flagged or not same_campaign(form(text), form(disguised(text))):
            continue
        began = _decide(town, reporters, text)
        if began is None:
            continue

        def answered(text: str = text) -> bool | None:
            copy = later.client.scan(ScanType.TEXT, disguised(text))
            return copy.decided_by is DecidedBy.REVIEWERS or None

        wait_for("the answer by the decision", answered, _PATIENCE_SECONDS)
        milliseconds = (time.monotonic() - began) * 1000
        return Protected(
            text,
            milliseconds,
            _told(reporters[0], NoticeKind.REPORT_RIGHT, wait_for),
            _told(early, NoticeKind.REVISED, wait_for),
        )
    return None


def _decide(town: Town, reporters: Sequence[Person], text: str) -> float | None:
    """Let two people report and two reviewers decide; return when the second one did.

    `None` if the decision may not act, e.g. because the text is too ordinary.
    """
    sent = [
        person.client.send_feedback(
            person.client.scan(ScanType.TEXT, text).id, FeedbackType.FALSE_NEGATIVE
        )
        for person in reporters
    ]
    began = 0.0
    for report, reviewer in zip(sent, town.reviewers, strict=False):
        began = time.monotonic()
        reviewer.client.review(report.id, ReviewAction.APPROVE)
    newest = town.reviewers[0].client.known(limit=1).items
    confirmed = newest and newest[0].standing is KnownStanding.CONFIRMED
    return began if confirmed else None


def _told(person: Person, kind: NoticeKind, wait_for: WaitFor) -> str:
    """Wait until somebody is told something, and return it in words."""
    said: list[str] = []

    def there() -> bool | None:
        said[:] = [
            f"{notice.title} {notice.sentence}"
            for notice in person.client.inbox().notices
            if notice.kind is kind and not notice.superseded
        ]
        return bool(said) or None

    wait_for(f"a notice to {person.name}", there, _PATIENCE_SECONDS)
    return said[0]
