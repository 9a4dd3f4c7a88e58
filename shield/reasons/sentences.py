"""What people are told, from tables: one sentence an id, in the languages of the book."""

import re
from dataclasses import dataclass
from functools import cache

from shield.reasons.tables import read_table

DEFAULT = "en"
_TAG = re.compile(r"([A-Za-z]{2,3})(?:-[A-Za-z]{4})?(?:-([A-Za-z]{2}))?(?:-[\w-]*)?")
_MOST_TAGS = 20


@dataclass(frozen=True)
class Reader:
    """Who reads: a language that the tables have, and the country, if it is known."""

    language: str = DEFAULT
    country: str | None = None


@cache
def sentences() -> dict[str, dict[str, str]]:
    """Return the sentences: id -> language -> text, read once."""
    table: dict[str, dict[str, str]] = read_table("sentences.yaml")
    return table


RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
"""Languages that are written from right to left."""


@cache
def places() -> dict[str, dict[str, str]]:
    """Return where to report: country -> `sms`, `else`, `source`, read once."""
    table: dict[str, dict[str, str]] = read_table("places.yaml")
    return table


def countries() -> list[str]:
    """Return the countries (ISO 3166) of which it is known who takes reports."""
    return sorted(places())


def say(sentence: str, reader: Reader, **parts: str) -> str:
    """Return a sentence in the reader's language, its parts filled in.

    Numbers and Latin names keep their own direction inside a sentence that runs right to left.
    """
    written = sentences()[sentence]
    if reader.language in RIGHT_TO_LEFT and reader.language in written:
        parts = {name: _isolated(part) for name, part in parts.items()}
    return written.get(reader.language, written[DEFAULT]).format(**parts)


def _isolated(part: str) -> str:
    """Return a part between Unicode's marks for a run whose direction follows from itself."""
    return f"\u2068{part}\u2069"


def place_of(reader: Reader, *, sms: bool) -> str | None:
    """Return where the reader's country takes reports, or None if the table does not say."""
    place = places().get(reader.country or "")
    if place is None:
        return None
    told = [place[key] for key in (("sms", "else") if sms else ("else",)) if key in place]
    return ", ".join(map(_isolated, told) if reader.language in RIGHT_TO_LEFT else told)


def reader_of(accept_language: str | None) -> Reader:
    """Return the reader that an `Accept-Language` header asks for, English if it says nothing.

    Of several languages the one of the greatest weight that the tables have; the country is that
    of the first tag that names one.
    """
    candidates: list[tuple[float, int, str, str | None]] = []
    for place, part in enumerate((accept_language or "").split(",")[:_MOST_TAGS]):
        tag, _, weight = part.strip().partition(";")
        match = _TAG.fullmatch(tag.strip())
        if match is not None:
            candidates.append((-_weight(weight), place, match[1].lower(), match[2]))
    candidates.sort(key=lambda each: each[:2])
    known = sentences()["reads-harmless"]
    language = next((tag for _, _, tag, _ in candidates if tag in known), DEFAULT)
    country = next((region.upper() for _, _, _, region in candidates if region), None)
    return Reader(language, country)


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    try:
        return float(value) if name.strip() == "q" else 1.0
    except ValueError:
        return 0.0
