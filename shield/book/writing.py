"""Messages from templates: the same seed gives the same messages, whatever else is in the book."""

import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shield.book.model import Book, Channel, ChannelFile, Language, Side
from shield.book.template import fill

SCAM, TWIN, EVERYDAY = "scam", "twin", "everyday"
_PUNCTUATION = re.compile(r"(?<![\w])['’]|['’](?![\w])|[^\w\s'’\u0300-\u036f\u0900-\u097f]")


@dataclass(frozen=True)
class Message:
    """One message, with everything that it is a slice of."""

    text: str
    scam: bool
    tactic: str
    """Also of a twin; empty for an everyday message."""
    kind: str
    """`scam`, `twin` or `everyday`."""
    language: str
    channel: Channel
    side: Side
    template: str
    """Id of the template: messages of one template are one campaign."""


def template_id(language: str, channel: Channel, template: str) -> str:
    """Return an id that follows from the words alone, so that moving a template keeps it."""
    digest = hashlib.sha256(f"{language}/{channel}/{template}".encode()).hexdigest()[:12]
    return f"book-{language}-{channel}-{digest}"


def messages_of(
    book: Book,
    side: Side,
    *,
    channels: tuple[Channel, ...] = tuple(Channel),
    each: int = 4,
    seed: int = 0,
) -> Iterator[Message]:
    """Yield up to `each` distinct messages of every template of one side.

    Args:
        book: Its languages are written out.
        side: Whose templates and slots.
        channels: Which channels.
        each: Messages of a template; one that has fewer distinct ones gives fewer.
        seed: Draws slots and choices, for each template by itself.
    """
    for language in book.languages.values():
        for channel in channels:
            file = language.files.get((side, channel))
            if file is not None:
                yield from _of_file(language, side, channel, file, each, seed)


def templates_of(file: ChannelFile) -> Iterator[tuple[str, str, str]]:
    """Yield (kind, tactic, template), everyday messages with an empty tactic."""
    for tactic, pair in file.tactics.items():
        for template in pair.scam:
            yield SCAM, tactic, template
        for template in pair.twin:
            yield TWIN, tactic, template
    for templates in file.everyday.values():
        for template in templates:
            yield EVERYDAY, "", template


def _of_file(
    language: Language, side: Side, channel: Channel, file: ChannelFile, each: int, seed: int
) -> Iterator[Message]:
    slots = language.slots.of(side)
    for kind, tactic, template in templates_of(file):
        name, written = template_id(language.code, channel, template), set[str]()
        for number in range(each):
            rng = random.Random(f"{seed}/{name}/{number}")
            text = fill(template, slots, rng)
            if channel is Channel.CALL and rng.random() < 0.5:
                text = heard(text)
            if text not in written:
                written.add(text)
                yield Message(text, kind == SCAM, tactic, kind, language.code, channel, side, name)


def heard(text: str) -> str:
    """Return a transcript as a plain recogniser gives it: no case and no punctuation."""
    return " ".join(_PUNCTUATION.sub(" ", text).lower().split())
