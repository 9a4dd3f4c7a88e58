"""Say in words how a message is disguised: signs that nobody sees, letters that look like others.

Unicode itself needs some of these signs. Emoji are joined to families by U+200D and drawn in colour
by U+FE0F, the flag of Scotland is made of tags, Persian and the scripts of India part and join
letters by U+200C and U+200D, and right-to-left text has marks of direction. Where they stand for
that they are no disguise, and nothing is said of them.

Sources: Unicode Technical Standard 51 (emoji sequences) and Standard Annex 31, section 2.4 (layout
and format characters between letters).
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass

from shield.characters import INVISIBLE, SOFT_HYPHEN, is_disguised, seen
from shield.text import readable

_EMOJI = "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u21ff\u2300-\u23ff\u24c2\u25a0-\u27bf"
_EMOJI += "\u2900-\u297f\u2b00-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
_TAGS = "\U000e0020-\U000e007f"
_SEQUENCE = re.compile(
    f"[{_EMOJI}](?:[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]|[{_TAGS}]+\U000e007f"
    f"|\u200d[{_EMOJI}])*|[0-9#*]\ufe0f?\u20e3"
)
"""An emoji with all that is joined to it, and the keys of a telephone."""
_JOINED = (
    "\u0600-\u06ff\u0750-\u077f\u08a0-\u08ff\ufb50-\ufdff\ufe70-\ufeff"  # Arabic, Persian, Urdu
    "\u0700-\u074f\u07c0-\u07ff\u0840-\u085f"  # Syriac, N'Ko, Mandaic
    "\u0900-\u0dff\u0f00-\u109f\u1000-\u109f\u1780-\u17ff\ua980-\ua9df"  # India to Cambodia
    "\u1800-\u18af"  # Mongolian
)
_BETWEEN_LETTERS = re.compile(f"(?<=[{_JOINED}])[\u034f\u180b-\u180f\u200c\u200d]+")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")
_DIRECTION = "\u061c\u200e\u200f\u202a-\u202c\u2066-\u2069"
_TURNED = "\u202d\u202e"
_ISOLATED = re.compile("(?<!\\w)[\u2066-\u2068\u202a\u202b]|[\u2069\u202c](?!\\w)")
"""Around a name or a number that a program has put in, never within a word."""
_VARIANTS = re.compile("(?<=[^A-Za-z\\s])[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
"""Behind anything but a Latin letter: another form of a Chinese character, a sign or an emoji."""
_IDEOGRAPHS = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uff66-\uff9f]")

_NAMES = {
    "\u00ad": "soft hyphen",
    "\u200b": "zero-width space",
    "\u200c": "zero-width non-joiner",
    "\u200d": "zero-width joiner",
    "\u2060": "word joiner",
    "\ufeff": "zero-width no-break space",
    "\u202e": "right-to-left override",
    "\u202d": "left-to-right override",
}
_SCRIPTS = {
    "CYRILLIC": "Cyrillic", "GREEK": "Greek", "ARMENIAN": "Armenian", "CHEROKEE": "Cherokee",
    "COPTIC": "Coptic", "LISU": "Lisu", "GEORGIAN": "Georgian", "HEBREW": "Hebrew",
    "MATHEMATICAL": "mathematical", "DOUBLE-STRUCK": "mathematical", "SCRIPT": "mathematical",
    "FULLWIDTH": "full-width", "CIRCLED": "circled", "PARENTHESIZED": "bracketed",
    "SQUARED": "boxed", "NEGATIVE": "boxed", "REGIONAL": "flag", "MODIFIER": "raised",
    "SUPERSCRIPT": "raised", "SUBSCRIPT": "lowered", "LATIN": "odd Latin",
}  # fmt: skip
_USUAL = "\u00aa\u00ba\u2116\u2139\u2122\u0130\u0131"
"""Ordinals, the number sign, the trade mark, Turkish letters."""
_MOST_SHOWN = 4


@dataclass(frozen=True)
class Disguise:
    """One thing that somebody did to the text."""

    words: str
    """What it is, e.g. `contains 2 Cyrillic letters (\u0430, \u0456)`."""
    reads: str = ""
    """What a person reads, where letters look like others."""


def disguises(text: str) -> list[Disguise]:
    """Return how a message is disguised; nothing where an honest writer writes so."""
    if text.isascii():
        return []
    return [*_unseen(text), *_letters(text)]


def _unseen(text: str) -> list[Disguise]:
    counts: Counter[str] = Counter()
    for sign in _without_honest(text):
        if sign in INVISIBLE:
            counts[_name_of(sign)] += 1
    return [
        Disguise(f"contains {_several(number, name)}, which nobody sees")
        for name, number in counts.most_common(_MOST_SHOWN)
    ]


def _without_honest(text: str) -> str:
    """Return the text without the invisible signs that its emoji and its scripts need."""
    plain = text.removeprefix("\ufeff")  # the first bytes of many files
    plain = _SEQUENCE.sub(" ", plain)
    plain = _BETWEEN_LETTERS.sub("", plain)
    plain = _VARIANTS.sub("", plain)
    plain = _ISOLATED.sub("", plain)
    if _RIGHT_TO_LEFT.search(text):
        plain = re.sub(f"[{_DIRECTION}]", "", plain)
    # Mails part long words by them; two in a row, or with other signs beside them, nobody needs.
    return re.sub(rf"(?<=\w){SOFT_HYPHEN}(?=\w)", "", plain)


def _letters(text: str) -> list[Disguise]:
    eastern = _IDEOGRAPHS.search(text) is not None
    counts = [_of_word(word, eastern=eastern) for word in _SEQUENCE.sub(" ", text).split()]
    told = {each.reads: each for each in counts if each is not None}
    for word in text.split():
        if is_disguised(word):
            what = "is written with signs that are drawn as letters"
            told.setdefault(readable(word), Disguise(what, readable(word)))
    return list(told.values())


def _of_word(word: str, *, eastern: bool) -> Disguise | None:
    visible = seen(word)
    plain = readable(visible)
    if visible.isascii() or not plain.isascii() or not any(map(str.isalpha, plain)):
        return None
    odd: dict[str, list[str]] = {}
    for sign in visible:
        kind = _kind_of(sign, eastern=eastern)
        if kind:
            odd.setdefault(kind, []).append(sign)
    if not odd:
        return None
    parts = [
        f"{_several(len(signs), kind + ' letter')} ({', '.join(dict.fromkeys(signs))})"
        for kind, signs in odd.items()
    ]
    return Disguise(f"contains {' and '.join(parts)}", plain)


def _kind_of(sign: str, *, eastern: bool) -> str:
    """Return the kind of a letter that is read as a Latin one; empty for what honest people write.

    Raised figures, ligatures, trade marks and letters with accents are honest; full-width letters
    are where people write Chinese, Japanese or Korean.
    """
    if sign.isascii() or not unicodedata.category(sign).startswith(("L", "So")):
        return ""
    folded = unicodedata.normalize("NFKC", sign)
    accented = unicodedata.normalize("NFD", sign)[0].isascii()
    if accented or sign in _USUAL or "LIGATURE" in _full(sign):
        return ""
    first = _full(sign).partition(" ")[0]
    if first == "FULLWIDTH" and eastern:
        return ""
    if first == "LATIN" and not (folded.isascii() or "SMALL CAPITAL" in _full(sign)):
        return ""
    return _SCRIPTS.get(first, "foreign")


def _full(sign: str) -> str:
    return unicodedata.name(sign, "")


def _name_of(sign: str) -> str:
    if sign in _NAMES:
        return _NAMES[sign]
    if re.match(f"[{_DIRECTION}]", sign):
        return "mark of direction"
    if re.match(f"[{_TAGS}]", sign):
        return "hidden tag letter"
    if re.match("[\ufe00-\ufe0f\U000e0100-\U000e01ef]", sign):
        return "variation selector"
    return "invisible character"


def _several(number: int, what: str) -> str:
    if number == 1:
        return f"{'an' if what[0] in 'aeiou' else 'a'} {what}"
    thing, of, rest = what.partition(" of ")
    return f"{number} {thing}s{of}{rest}"
