"""Kinds of messages, so that an average cannot hide the one that collapsed."""

import re
import unicodedata
from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shield.book import Tactic, read_tactics
from shield.characters import hidden

LENGTHS = ((40, "up to 40"), (100, "41 to 100"), (160, "101 to 160"), (500, "161 to 500"))

_SPACED = re.compile(r"(?:\b\w[ .\-_*]){4,}\w\b")
_LEET = re.compile(r"\b(?=\w*[a-z])(?:[a-z]+[013457@$]+[a-z]+)\w*\b", re.IGNORECASE)
_LINK = re.compile(
    r"https?://|www\.|(?<=[\w-])\.(?:com|net|org|info|ru|cn|xyz|top|ly|co)\b", re.IGNORECASE
)
_READ = 2000
_COLUMNS = ("channel", "source", "language", "tactic")


def slices_of(table: pl.DataFrame) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield (dimension, value, mask of shape (n,)) for every kind that occurs.

    Length, script, obfuscation and links are seen in the text; channel, source, language and tactic
    are columns, where the set has them.
    """
    # The start tells the kind; a message of 100 kB must not cost seconds.
    texts = [text[:_READ] for text in table["text"].to_list()]
    kinds = {
        "length": [length_of(text) for text in table["text"].to_list()],
        "script": [script_of(text) for text in texts],
        "obfuscation": [obfuscation_of(text) for text in texts],
        "link": ["with link" if _LINK.search(text) else "without link" for text in texts],
    }
    for name in _COLUMNS:
        if name in table.columns:
            kinds[name] = table[name].cast(pl.String).fill_null("").to_list()
    yield from _masks(kinds)


def judge_slices_of(table: pl.DataFrame) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    """Yield the same of the set `judge`: language, channel, kind, tactic, and whether it taught.

    A harmless message with a tactic is a twin: what honest senders write that looks like it. A
    tactic that the book does not know was held back for a demonstration.
    """
    known = read_tactics()
    tactics = table["tactic"].fill_null("").to_list()
    kinds = [
        "scam" if label else "harmless twin" if tactic else "everyday"
        for label, tactic in zip(table["label"], tactics, strict=True)
    ]
    taught = [
        "" if not tactic else "taught" if _teaches(known.get(tactic)) else "never taught"
        for tactic in tactics
    ]
    columns = {name: table[name].fill_null("").to_list() for name in ("language", "channel")}
    yield from _masks({**columns, "kind": kinds, "its tactic was": taught, "tactic": tactics})


def _teaches(tactic: Tactic | None) -> bool:
    return tactic is not None and not tactic.judge_only


def _masks(seen: dict[str, list[str]]) -> Iterator[tuple[str, str, NDArray[np.bool_]]]:
    for dimension, values in seen.items():
        named = np.array(values, dtype=object)
        for value in sorted(set(values) - {""}):
            yield dimension, value, np.asarray(named == value, dtype=np.bool_)


def length_of(text: str) -> str:
    """Return the range of characters that `text` falls in."""
    return next((name for most, name in LENGTHS if len(text) <= most), "over 500") + " characters"


def script_of(text: str) -> str:
    """Return the script of most letters: `mixed` if a second has a fifth, `none` without any."""
    counts: dict[str, int] = {}
    for character in text:
        if character.isalpha():
            script = "LATIN" if character.isascii() else _script(character)
            counts[script] = counts.get(script, 0) + 1
    if not counts:
        return "none"
    ranked = sorted(counts, key=lambda script: -counts[script])
    if len(ranked) > 1 and counts[ranked[1]] * 5 >= sum(counts.values()):
        return "mixed"
    return ranked[0].lower()


def _script(character: str) -> str:
    return unicodedata.name(character, "UNKNOWN").split(" ")[0]


def obfuscation_of(text: str) -> str:
    """Return which disguise `text` wears, the first that is found; `none` for plain text."""
    if hidden(text):
        return "invisible characters"
    if _mixes_scripts(text):
        return "look-alike letters"
    if _SPACED.search(text):
        return "spaced letters"
    if _LEET.search(text):
        return "digits for letters"
    return "none"


def _mixes_scripts(text: str) -> bool:
    if text.isascii():
        return False
    for word in text.split():
        if not word.isascii():
            scripts = {_script(letter) for letter in word if letter.isalpha()}
            if "FULLWIDTH" in scripts or "MATHEMATICAL" in scripts:
                return True
            if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK"}:
                return True
    return False
