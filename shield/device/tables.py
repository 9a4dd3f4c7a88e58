"""What the normaliser asks of Unicode, as numbers: so that every phone gives Python's answer.

A browser, a JVM and a Python each carry a Unicode of their own, and differ in thousands of
characters. The tables are made from the Python that trains, travel with each version and are
covered by its signature; nothing on the phone asks its own Unicode.
"""

import json
import sys
import unicodedata
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from shield import characters, text

_WITHOUT_PROPERTIES = frozenset({"Cn", "Co", "Cs"})
"""Not assigned, private, halves of characters."""
_HANGUL = range(0xAC00, 0xD7A4)
"""Composed and decomposed by arithmetic (Unicode 16, section 3.12), so not in the tables."""


@cache
def tables_json() -> bytes:
    """Return the tables as compact JSON; the same Python gives the same bytes.

    Ranges are flat lists: the gap from the end of the one before, then the length. Maps are flat
    lists: the gap from the key before, how many characters it becomes, and these.
    """
    signs = [
        sign
        for sign in map(chr, range(sys.maxunicode + 1))
        if unicodedata.category(sign) not in _WITHOUT_PROPERTIES
    ]
    # What has no case and is no letter modifier costs seconds to ask one by one.
    some = [sign for sign in signs if unicodedata.category(sign) != "Lo"]
    document = {
        "unicode": unicodedata.unidata_version,
        "space": _ranges(filter(str.isspace, signs)),
        "alphanumeric": _ranges(filter(str.isalnum, signs)),
        "alphabetic": _ranges(filter(str.isalpha, signs)),
        "decimal": _ranges(filter(str.isdecimal, signs)),
        "lowercase": _ranges(filter(str.islower, signs)),
        "uppercase": _ranges(filter(str.isupper, signs)),
        "titlecase": _ranges(sign for sign in some if unicodedata.category(sign) == "Lt"),
        "cased": _ranges(filter(_is_cased, signs)),
        "caseIgnorable": _ranges(filter(_is_case_ignorable, some)),
        "lower": _map((sign, low) for sign in some if (low := sign.lower()) != sign),
        "decompositions": _map(
            (sign, plain)
            for sign in signs
            if ord(sign) not in _HANGUL and (plain := unicodedata.normalize("NFKD", sign)) != sign
        ),
        "combining": _classes(some),
        "compositions": _compositions(signs),
        "invisible": _ranges(characters.INVISIBLE),
        "blanks": _ranges(characters.BLANKS),
        "drawn": _map(sorted((characters.DRAWN_LETTERS | characters.DRAWN_WORDS).items())),
        "figures": _ranges(characters.FIGURES),
        "overlays": _ranges(sign for sign in some if characters.OVERLAY.search("a" + sign)),
        "lookAlikes": _map(
            sorted((chr(point), chr(latin)) for point, latin in text.LOOK_ALIKES.items())
        ),
        "topLevelNames": sorted(text.TOP_LEVEL_NAMES),
    }
    return json.dumps(document, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def _is_cased(sign: str) -> bool:
    """Tell whether a capital sigma is a final one behind `sign`: that is where `lower` asks."""
    return not _is_case_ignorable(sign) and (sign + "\u03a3").lower().endswith("\u03c2")


def _is_case_ignorable(sign: str) -> bool:
    final = "\u03c2"
    return (f"A{sign}\u03a3").lower().endswith(final) and not (f"1{sign}\u03a3").lower().endswith(
        final
    )


def _ranges(signs: Iterable[str]) -> list[int]:
    flat: list[int] = []
    end = 0
    for point in sorted(map(ord, signs)):
        if flat and point == end:
            flat[-1] += 1
        else:
            flat += [point - end, 1]
        end = point + 1
    return flat


def _map(items: Iterable[tuple[str, str]]) -> list[int]:
    flat, before = [], 0
    for sign, becomes in items:
        flat += [ord(sign) - before, len(becomes), *map(ord, becomes)]
        before = ord(sign)
    return flat


def _classes(signs: list[str]) -> list[int]:
    """Return the canonical combining classes other than 0: gap from the one before, class."""
    marks = [(ord(sign), unicodedata.combining(sign)) for sign in signs]
    marks = [(0, 0), *((point, rank) for point, rank in marks if rank)]
    return [number for old, new in pairwise(marks) for number in (new[0] - old[0], new[1])]


def _compositions(signs: list[str]) -> list[int]:
    """Return first, second and composed character of every pair that composes."""
    flat = []
    for sign in signs:
        pair = unicodedata.decomposition(sign).split()
        canonical = len(pair) == 2 and not pair[0].startswith("<")
        if canonical and unicodedata.normalize("NFC", sign) == sign:
            flat += [int(pair[0], 16), int(pair[1], 16), ord(sign)]
    return flat
