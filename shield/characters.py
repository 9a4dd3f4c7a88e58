"""Which characters a person sees, and which letters they read: one definition for the system.

The API, the model server, training and the pages ask here. Ranges are written out instead of asked
of `unicodedata`, so that every release of Python, and a phone, gives the same answer.

Sources: Unicode 16, DerivedCoreProperties.txt (Default_Ignorable_Code_Point), UnicodeData.txt.
"""

import re
from collections.abc import Iterable

REPLACEMENT = "\ufffd"
"""Stands for what is no character, e.g. half an emoji."""

NO_WORDS = -1e-6
"""The margin of a text in which no letter and no digit is seen: on the harmless side, and as unsure
as can be. There is nothing in it to judge, and a model would be sure of it all the same."""

_IGNORABLE = (
    (0x00AD, 0x00AD), (0x034F, 0x034F), (0x061C, 0x061C), (0x17B4, 0x17B5), (0x180B, 0x180F),
    (0x1160, 0x1160), (0x200B, 0x200F), (0x202A, 0x202E), (0x2060, 0x206F), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFF0, 0xFFF8), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A),
    (0xE0000, 0xE0FFF),
)  # fmt: skip
"""Default-ignorable code points, but those that are as wide as a blank."""
_OF_NO_USE = (
    (0x00, 0x08), (0x0E, 0x1B), (0x7F, 0x84), (0x86, 0x9F),  # controls that are not white space
    (0xD800, 0xDFFF),  # halves of characters
    (0xFFF9, 0xFFFC), (0x13430, 0x1343F),  # annotation, hieroglyphs' layout: seen with others only
)  # fmt: skip
BLANKS = "\u115f\u2800\u3164\uffa0\U0001d159"
"""As wide as a letter, and nothing is drawn: Hangul fillers, the Braille blank, the musical null
notehead. `str.isspace` does not know them."""


def _points(ranges: Iterable[tuple[int, int]]) -> list[int]:
    return [point for first, last in ranges for point in range(first, last + 1)]


INVISIBLE = frozenset(map(chr, _points((*_IGNORABLE, *_OF_NO_USE))))
"""Characters without a width: whoever reads a message does not know that they are there."""
SOFT_HYPHEN = "\u00ad"
"""Invisible, and honest: mails have it inside long words."""

_HONEST = frozenset(
    {SOFT_HYPHEN, *map(chr, _points(((0x200C, 0x200F), (0xFE00, 0xFE0F), (0xE0020, 0xE007F))))}
)

_REGIONAL = {chr(0x1F1E6 + place): chr(ord("A") + place) for place in range(26)}
_SMALL_CAPITALS = dict(
    zip(
        "\u1d00\u0299\u1d04\u1d05\u1d07\ua730\u0262\u029c\u026a\u1d0a\u1d0b\u029f\u1d0d\u0274\u1d0f"
        "\u1d18\ua7af\u0280\ua731\u1d1b\u1d1c\u1d20\u1d21\u028f\u1d22",
        "abcdefghijklmnopqrstuvwyz",
        strict=True,
    )
)
FIGURES = {
    **{chr(0x249C + place): chr(ord("a") + place) for place in range(26)},  # in brackets
    **{
        chr(first + place): chr(ord("A") + place)
        for first in (0x1F110, 0x1F130, 0x1F150, 0x1F170)  # in brackets, squared, white on black
        for place in range(26)
    },
    **_SMALL_CAPITALS,
}
DRAWN_WORDS = dict(
    zip(
        map(chr, range(0x1F191, 0x1F19B)),
        (" CL ", " COOL ", " FREE ", " ID ", " NEW ", " NG ", " OK ", " SOS ", " UP! ", " VS "),
        strict=True,
    )
)
DRAWN_LETTERS: dict[str, str] = {**_REGIONAL, **FIGURES}
"""Signs that are drawn as a letter, and that compatibility (NFKC) does not make one of, or makes
one in brackets of."""

_RANGES = "".join(f"{chr(first)}-{chr(last)}" for first, last in sorted((*_IGNORABLE, *_OF_NO_USE)))
HIDDEN_IN_WORD = re.compile(f"[A-Za-z](?![{SOFT_HYPHEN}])[{_RANGES}]+[A-Za-z]")
"""What nobody sees, between two letters; not where a soft hyphen stands first."""
NOTHING_SEEN = rf"^[\s\x1c-\x1f{_RANGES}{BLANKS}]*$".replace(f"{chr(0xD800)}-{chr(0xDFFF)}", "")
"""A text of which nothing is seen: empty, blank, or made of invisible signs. A pattern for tables,
whose strings hold no lone surrogates."""
_UNSEEN = re.compile(f"[{_RANGES}{BLANKS}]")
_SEEN = str.maketrans({**dict.fromkeys(INVISIBLE, ""), **dict.fromkeys(BLANKS, " ")})
_LETTERS = str.maketrans({**DRAWN_LETTERS, **DRAWN_WORDS, **dict.fromkeys(BLANKS, " ")})
_DRAWN = re.compile(f"[{BLANKS}{''.join(DRAWN_LETTERS)}{''.join(DRAWN_WORDS)}]")
OVERLAY = re.compile(
    "(?<=[A-Za-z0-9])[\u0334-\u0338\u20d2\u20d3\u20d8-\u20da\u20dd-\u20e0\u20e2-\u20e6\u20ea\u20eb]+"
)
"""Strokes through a letter or digit, and frames around it."""
_HALVES = re.compile("[\ud800-\udfff]")
_REGIONAL_RUN = re.compile("[\U0001f1e6-\U0001f1ff]+")
_FIGURE = re.compile(f"[{''.join(FIGURES)}]")


def well_formed(text: str) -> str:
    """Return `text` with U+FFFD for every lone surrogate, e.g. half an emoji that was cut in two.

    Such a string is legal in JSON and in Python, and in no database and no UTF-8.
    """
    return _HALVES.sub(REPLACEMENT, text)


def seen(text: str) -> str:
    """Return `text` without the characters that nobody sees; blanks of any kind become a space."""
    return text.translate(_SEEN) if _UNSEEN.search(text) else text


def unreadable(text: str) -> int:
    """Return how many characters of a well-formed `text` are none: they came broken."""
    return text.count(REPLACEMENT)


def letters(text: str) -> str:
    """Return `text` with letters for drawn letters, and words for emoji that are words.

    Blanks of any kind become a space.
    """
    return text.translate(_LETTERS) if _DRAWN.search(text) else text


def has_words(text: str) -> bool:
    """Tell whether a letter or a digit of `text` is seen, or a sign that is drawn as one.

    Emoji and marks alone are seen and say nothing that could be judged.
    """
    shown = seen(text)
    return any(map(str.isalnum, shown)) or bool(_FIGURE.search(shown))


def hidden(text: str) -> int:
    """Return how many invisible characters of `text` no honest writer has put there.

    Emoji, bidirectional text and scripts other than Latin need some, mails soft hyphens; between
    two Latin letters nobody needs any but these.
    """
    if not _UNSEEN.search(text):
        return 0
    odd = sum(sign in INVISIBLE and sign not in _HONEST for sign in text)
    within = HIDDEN_IN_WORD.findall(text)
    return odd + sum(sign in _HONEST for word in within for sign in word)


def is_disguised(word: str) -> bool:
    """Tell whether a word is written with drawn letters, as no honest person does.

    A flag (two regional letters) and a single boxed letter are honest; so are flags in a row.
    """
    regional = max((len(run) for run in _REGIONAL_RUN.findall(word)), default=0)
    return (regional > 2 and regional % 2 == 1) or len(_FIGURE.findall(word)) > 1
