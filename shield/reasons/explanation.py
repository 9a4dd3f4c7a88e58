"""Why a message was judged so, and what to do now, in the reader's own language.

Reasons explain a verdict that was given; they are no part of it and never change it. Pure: read
from the text and the verdict alone, in time that grows with the text's length and no faster.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from shield.characters import has_words
from shield.disguises import disguises
from shield.labels import ScanType
from shield.reasons import tactics
from shield.reasons.hosts import has_no_link, links_of
from shield.reasons.sentences import Reader, place_of, say
from shield.reasons.signs import signs_among, table_of_signs
from shield.reasons.words import words_of
from shield.text import apart
from shield.wire import ReasonKind, ScanAdvice, ScanReason

MOST = 6
"""More reasons than this nobody reads."""
_REQUESTS = frozenset({"asks-for-money", "untraceable", "asks-for-code", "asks-for-secrets"})
ALARMING = _REQUESTS | {"remote-control", "new-number", "secrecy"}
"""What a harmless message does not do."""
# A number to call: seven digits or more, no part of an address.
_PHONE = re.compile(r"(?<![\w/.-])\+?\d(?:[ ().-]{0,2}\d){6,14}(?![\w/-])")
_LONGEST = 5_000


@dataclass(frozen=True)
class Explanation:
    """Why, and what now."""

    language: str
    """Of all sentences."""
    reasons: list[ScanReason]
    """The weightiest first; at least one."""
    advice: ScanAdvice


def explain(
    text: str, scan_type: ScanType, *, flagged: bool, sure: bool, reader: Reader
) -> Explanation:
    """Return why a message was judged so.

    Args:
        text: The message.
        scan_type: What it is: who to tell depends on it.
        flagged: The verdict: a scam.
        sure: What was said of the verdict's certainty.
        reader: Whose language and country.
    """
    if not has_words(text):
        reasons: list[ScanReason] = [_reason("no-words", ReasonKind.WHOLE, reader)]
        return Explanation(
            reader.language, reasons, _advice(None, scan_type, reader, flagged=False, sure=False)
        )
    words = words_of(text)
    tactic = tactics.nearest_among(words) if flagged else None
    if flagged:
        reasons = list(_warnings(text, words, tactic, reader))
        if sure and not reasons:
            reasons = [_reason("reads-like-scams", ReasonKind.WHOLE, reader)]
    elif sure:
        reasons = [_reason("reads-harmless", ReasonKind.WHOLE, reader), *_calm(text, words, reader)]
    else:
        reasons = list(_warnings(text, words, None, reader))
    if not sure:
        reasons = [_reason("close-call", ReasonKind.WHOLE, reader), *reasons]
    advice = _advice(tactic, scan_type, reader, flagged=flagged, sure=sure)
    return Explanation(reader.language, reasons[:MOST], advice)


def advise(text: str, scan_type: ScanType, *, reader: Reader) -> ScanAdvice:
    """Return what to do about a message that is a scam for sure, without the reasons.

    For lists of messages: it takes a fraction of the time of `explain`.
    """
    return _advice(tactics.nearest(text), scan_type, reader, flagged=True, sure=True)


def prepare() -> None:
    """Read the tables and learn the tactics, so that the first message need not wait for it."""
    text = "Your parcel waits: pay the fee at https://post.example/pay today"
    explain(text, ScanType.TEXT, flagged=True, sure=True, reader=Reader())
    explain(text, ScanType.TEXT, flagged=False, sure=True, reader=Reader())


def _warnings(
    text: str, words: Sequence[str], tactic: str | None, reader: Reader
) -> Iterator[ScanReason]:
    """Yield what speaks against a message: its kind, what it wants, its links, its pressure."""
    if tactic is not None:
        told = tactics.book().texts(tactic, reader.language)
        sentence = say("reads-like", reader, name=told.name, how=told.how_it_works)
        yield ScanReason(id=f"tactic:{tactic}", kind=ReasonKind.TACTIC, sentence=sentence)
    signs = signs_among(words)
    if not _PHONE.search(text[:_LONGEST]):
        signs.discard("call-them")
    ordered = [sign for sign in table_of_signs().signs if sign in signs]
    pressure = [sign for sign in ordered if sign in PRESSURE]
    yield from (_reason(sign, ReasonKind.REQUEST, reader) for sign in ordered if sign in WANTED)
    yield from (
        _reason(fact.id, ReasonKind.LINK, reader, host=fact.host, name=fact.name, of=fact.claimed)
        for fact in links_of(text)
    )
    if disguised(text):
        yield _reason("disguised", ReasonKind.DISGUISE, reader)
    yield from (_reason(sign, ReasonKind.PRESSURE, reader) for sign in pressure)


PRESSURE = frozenset({"promises", "threat", "haste", "secrecy"})
WANTED = frozenset({*_REQUESTS, "new-number", "call-them", "moves-elsewhere", "remote-control"})


def _calm(text: str, words: Sequence[str], reader: Reader) -> Iterator[ScanReason]:
    """Yield what a harmless message does not do; nothing that alarms.

    Of a text that is not read to its end nothing is said: it may come there.
    """
    if len(text) > _LONGEST:
        return
    if signs_among(words).isdisjoint(ALARMING):
        yield _reason("asks-nothing", ReasonKind.CALM, reader)
    if has_no_link(text):
        yield _reason("no-link", ReasonKind.CALM, reader)


def disguised(text: str) -> bool:
    """Tell whether words are written for the eye alone: letters apart, look-alikes, invisible."""
    text = text[:_LONGEST]
    return bool(apart(text)) or bool(disguises(text))


def _advice(
    tactic: str | None, scan_type: ScanType, reader: Reader, *, flagged: bool, sure: bool
) -> ScanAdvice:
    if not flagged and sure:
        return ScanAdvice(what_to_do_now=say("now-harmless", reader), who_to_tell=None)
    place = place_of(reader, sms=scan_type is ScanType.TEXT)
    report = say("tell-place", reader, place=place) if place else ""
    if tactic is not None:
        told = tactics.book().texts(tactic, reader.language)
        return ScanAdvice(
            what_to_do_now=told.what_to_do_now, who_to_tell=f"{told.who_to_tell} {report}".strip()
        )
    if not flagged:
        return ScanAdvice(what_to_do_now=say("now-unsure", reader), who_to_tell=None)
    now = "now-call" if scan_type is ScanType.VOICE else "now-scam"
    return ScanAdvice(
        what_to_do_now=say(now if sure else "now-unsure", reader),
        who_to_tell=f"{say('tell', reader)} {report}".strip(),
    )


def _reason(
    sentence: str, kind: ReasonKind, reader: Reader, host: str = "", name: str = "", of: str = ""
) -> ScanReason:
    said = say(sentence, reader, host=host, name=name, claimed=of)
    return ScanReason(id=sentence, kind=kind, sentence=said)
