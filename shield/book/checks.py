"""What must hold of the book, so that what judges is never what was taught."""

import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from shield.book import reserved
from shield.book.model import Book, Channel, ChannelFile, Language, Pair, Side, Slots
from shield.book.template import BadTemplate, expand, fill, literals
from shield.book.writing import SCAM, templates_of

LEAST: dict[tuple[Side, Channel], int] = {
    (Side.TEACH, Channel.SMS): 3,
    (Side.JUDGE, Channel.SMS): 2,
    (Side.TEACH, Channel.MAIL): 2,
    (Side.JUDGE, Channel.MAIL): 1,
    (Side.TEACH, Channel.CALL): 2,
    (Side.JUDGE, Channel.CALL): 1,
}
"""Templates of a tactic, of the scam and of the twin each; a tactic that only judges has one more
to judge with."""
EVERYDAY: dict[Channel, tuple[str, ...]] = {
    Channel.SMS: ("chat", "codes", "alerts", "reminders", "offers"),
    Channel.MAIL: ("personal", "notices", "offers"),
    Channel.CALL: ("chat", "service"),
}
LEAST_EVERYDAY: dict[Side, int] = {Side.TEACH: 3, Side.JUDGE: 2}
LEAST_CHAT: dict[Side, int] = {Side.TEACH: 12, Side.JUDGE: 8}
"""Chat in text messages is most of what people get, and the easiest to write."""
NEAR = 0.5
"""Share of common shingles from which two templates are one written twice."""
LINKS = 1 / 3
"""Harmless text messages have links at least this often as scams have: else a link alone tells."""
SHINGLE = 5
"""Characters of a shingle: works in languages that put no blanks between words."""


def faults(book: Book) -> list[str]:
    """Return everything that is wrong with the book, each with its place and cure."""
    return [fault for language in book.languages.values() for fault in _language(book, language)]


def _language(book: Book, language: Language) -> Iterator[str]:
    for tactic in sorted(language.texts.keys() - book.tactics.keys()):
        yield f"{language.code}/texts.yaml: {tactic} is not in tactics.yaml. Correct its name."
    yield from _slots(language)
    for channel in Channel:
        present = [side for side in Side if (side, channel) in language.files]
        if len(present) == 1:
            yield (
                f"{language.code}: {channel} has only {present[0]}. What teaches needs something "
                "that judges; write both files before either is used."
            )
    for (side, channel), file in language.files.items():
        place = f"{language.code}/{side}/{channel}.yaml"
        yield from _coverage(book, side, channel, file, place)
        yield from _texts(file, language.slots.of(side), place)
        if channel is Channel.SMS:
            yield from _links(file, language.slots.of(side), place)
    yield from _split(language)


def _coverage(
    book: Book, side: Side, channel: Channel, file: ChannelFile, place: str
) -> Iterator[str]:
    for name, tactic in book.tactics.items():
        belongs = channel in tactic.channels and not (side is Side.TEACH and tactic.judge_only)
        if not belongs:
            if name in file.tactics:
                why = "only judges" if tactic.judge_only else f"is not met by {channel}"
                yield f"{place}: {name} {why}; take it out."
            continue
        least = LEAST[side, channel] + tactic.judge_only
        pair = file.tactics.get(name, Pair(scam=[], twin=[]))
        for kind, templates in (("scam", pair.scam), ("twin", pair.twin)):
            if len(templates) < least:
                yield f"{place}: {name} has {len(templates)} {kind} templates; write {least}."
    for name in sorted(file.tactics.keys() - book.tactics.keys()):
        yield f"{place}: {name} is not in tactics.yaml. Correct its name."
    for group in EVERYDAY[channel]:
        many = channel is Channel.SMS and group == "chat"
        least = (LEAST_CHAT if many else LEAST_EVERYDAY)[side]
        count = len(file.everyday.get(group, []))
        if count < least:
            yield f"{place}: everyday {group} has {count} templates; write {least}."
    for group in sorted(file.everyday.keys() - set(EVERYDAY[channel])):
        known = ", ".join(EVERYDAY[channel])
        yield f"{place}: everyday {group} is no group of {channel} ({known}). Rename it."


def _slots(language: Language) -> Iterator[str]:
    place = f"{language.code}/slots.yaml"
    for side in Side:
        for name, value in _values(language.slots.of(side)):
            for host in reserved.foreign_hosts(expand(value, random.Random(0))):
                yield f"{place}: {side} {name}: {host} may be somebody's. End it in .example."
            for brand in reserved.brands(value):
                yield f"{place}: {side} {name}: {brand} is a real brand. Invent one."
            if name.startswith("phone") and not reserved.is_fictitious(value):
                yield (
                    f"{place}: {side} {name}: {value} may be somebody's. Take a range in "
                    "shield/book/reserved.py, or a national part that begins with 000."
                )
    taught = set(_values(language.slots.teach))
    for name, value in sorted(set(_values(language.slots.judge)) & taught):
        yield f"{place}: {name}: {value!r} is on both sides. Give it to one."


def _values(slots: Slots) -> Iterator[tuple[str, str]]:
    for name, choices in slots.items():
        for choice in choices:
            if isinstance(choice, str):
                yield name, choice
                continue
            for part, values in choice.items():
                for value in [values] if isinstance(values, str) else values:
                    yield f"{name}.{part}", value


def _texts(file: ChannelFile, slots: Slots, place: str) -> Iterator[str]:
    for kind, tactic, template in templates_of(file):
        where = f"{place}: {tactic or 'everyday'} {kind} {template[:40]!r}"
        try:
            words = literals(template)
            written = " ".join(fill(template, slots, random.Random(seed)) for seed in range(3))
        except BadTemplate as error:
            yield f"{where}: {error}. Correct the template, or add the slot."
            continue
        for host in reserved.foreign_hosts(written):
            yield (
                f"{where}: {host} may be somebody's. End it in .example, or put a blank behind the "
                "full stop."
            )
        for number in reserved.long_numbers(words):
            yield f"{where}: {number} may be somebody's number. Use a slot."
        for brand in reserved.brands(words):
            yield f"{where}: {brand} is a real brand. Use a slot with invented ones."


def _links(file: ChannelFile, slots: Slots, place: str) -> Iterator[str]:
    """A mark that only scams bear would be learned instead of what they say."""
    linked, count = Counter[bool](), Counter[bool]()
    for kind, _, template in templates_of(file):
        try:
            text = fill(template, slots, random.Random(0))
        except BadTemplate:
            continue  # told of above
        count[kind == SCAM] += 1
        linked[kind == SCAM] += any(reserved.hosts(text))
    scams, harmless = (linked[each] / max(count[each], 1) for each in (True, False))
    if harmless < LINKS * scams:
        yield (
            f"{place}: {scams:.0%} of the scams have a link and only {harmless:.0%} of the "
            f"harmless messages. Give more of these one ({{bank.host}}, {{short}}): "
            f"{LINKS * scams:.0%} or more."
        )


def _split(language: Language) -> Iterator[str]:
    written: list[tuple[str, str, frozenset[str]]] = []
    for (side, channel), file in language.files.items():
        for _, _, template in templates_of(file):
            try:
                grams = shingles(literals(template))
            except BadTemplate:
                continue  # told of above
            written.append((f"{side}/{channel}", template, grams))
    holders: dict[str, list[int]] = defaultdict(list)
    for here, (place, template, grams) in enumerate(written):
        shared = Counter(other for each in grams for other in holders[each])
        for other, count in shared.items():
            their_place, theirs, their_shingles = written[other]
            alike = count / (len(grams) + len(their_shingles) - count)
            crosses = place.split("/")[0] != their_place.split("/")[0]
            if template == theirs or (crosses and alike >= NEAR):
                yield (
                    f"{language.code}/{place}.yaml: {template[:60]!r} is nearly "
                    f"{theirs[:60]!r} in {their_place}.yaml ({alike:.0%} alike). Write another."
                )
        for each in grams:
            holders[each].append(here)


def shingles(text: str) -> frozenset[str]:
    """Return the character n-grams of a text's words, its case, digits and marks left out."""
    plain = " ".join(re.sub(r"[\W\d_]+", " ", text.lower()).split())
    last = max(1, len(plain) - SHINGLE + 1)
    return frozenset(plain[at : at + SHINGLE] for at in range(last))
