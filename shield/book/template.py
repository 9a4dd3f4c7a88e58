"""Templates: text with `{slot}`, `{slot.part}`, `{slot2}` and `{one|other}` in it.

A slot has one value in one message, however often it is named; `{name2}` is another value of
`name`. A value may have parts: `{bank}` is its `text`, `{bank.host}` its host. In values `#` stands
for a digit, `^` for one that is not 0, `~` for a small letter.
"""

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass

from shield.book.model import Slots, SlotValue

_PART = re.compile(r"\{([^{}]*)\}")
_SLOT = re.compile(r"([a-z]+(?:_[a-z]+)*)([2-9]?)(?:\.([a-z]+(?:_[a-z]+)*))?")
_DRAWN = re.compile(r"[#^~]")
_FROM = {"#": "0123456789", "^": "123456789", "~": "abcdefghijkmnpqrstuvwxyz"}


@dataclass(frozen=True)
class SlotUse:
    """One `{slot}` of a template."""

    name: str
    which: str
    """Empty, or the digit that tells several values of one slot apart."""
    part: str


class BadTemplate(ValueError):
    """A template that cannot be filled; the message says why."""


def parts_of(template: str) -> Iterator[str | list[str] | SlotUse]:
    """Yield the pieces of a template: literal text, choices, slots.

    Raises:
        BadTemplate: Braces that do not pair, or a slot whose name is none.
    """
    at = 0
    for match in _PART.finditer(template):
        yield _literal(template[at : match.start()])
        at = match.end()
        if "|" in match[1]:
            yield match[1].split("|")
            continue
        slot = _SLOT.fullmatch(match[1])
        if slot is None:
            raise BadTemplate(
                f"{match[0]} is neither a slot (small letters, e.g. {{bank.host}}) nor a choice "
                "({one|other})"
            )
        yield SlotUse(slot[1], slot[2], slot[3] or "text")
    yield _literal(template[at:])


def _literal(text: str) -> str:
    if "{" in text or "}" in text:
        raise BadTemplate("a brace has no partner; braces are for slots alone")
    return text


def literals(template: str) -> str:
    """Return the template's own words: choices one behind the other, each slot a blank."""
    pieces = []
    for part in parts_of(template):
        if isinstance(part, SlotUse):
            pieces.append(" ")
        else:
            pieces.append(part if isinstance(part, str) else " ".join(part))
    return "".join(pieces)


def fill(template: str, slots: Slots, rng: random.Random) -> str:
    """Return the template with every slot and choice drawn.

    Raises:
        BadTemplate: A slot or part that the language does not have.
    """
    chosen: dict[str, list[SlotValue]] = {}
    values: dict[tuple[str, str], SlotValue] = {}
    drawn: dict[SlotUse, str] = {}
    out = []
    for part in parts_of(template):
        if isinstance(part, str):
            out.append(part)
        elif isinstance(part, list):
            out.append(rng.choice(part))
        else:
            if part not in drawn:
                key = (part.name, part.which)
                if key not in values:
                    values[key] = _draw(part.name, slots, chosen, rng)
                drawn[part] = expand(_part(values[key], part, rng), rng)
            out.append(drawn[part])
    return "".join(out).strip()


def _draw(
    name: str, slots: Slots, chosen: dict[str, list[SlotValue]], rng: random.Random
) -> SlotValue:
    if name not in slots:
        raise BadTemplate(f"there is no slot {name!r}")
    taken = chosen.setdefault(name, [])
    free = [value for value in slots[name] if value not in taken]
    if not free:
        raise BadTemplate(f"the slot {name!r} has only {len(slots[name])} values")
    value = rng.choice(free)
    taken.append(value)
    return value


def _part(value: SlotValue, use: SlotUse, rng: random.Random) -> str:
    if isinstance(value, str):
        if use.part != "text":
            raise BadTemplate(f"the slot {use.name!r} has a value without part {use.part!r}")
        return value
    if use.part not in value:
        raise BadTemplate(f"the slot {use.name!r} has a value without part {use.part!r}")
    inflected = value[use.part]
    return inflected if isinstance(inflected, str) else rng.choice(inflected)


def expand(value: str, rng: random.Random) -> str:
    """Return a slot's value with its digits and letters drawn."""
    return _DRAWN.sub(lambda inflected: rng.choice(_FROM[inflected[0]]), value)
