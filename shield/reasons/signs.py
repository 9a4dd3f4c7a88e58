"""What a message asks for and how it presses, by phrases in the book's languages.

A table of phrases and no model: it explains a verdict that was given, and is no part of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from shield.reasons.tables import read_table
from shield.reasons.words import words_of

GAP = 3
"""Most words that a `+` stands for."""
_BEFORE = 4
"""Words before a phrase in which a "never" takes it back."""
NEVER_TAKEN_BACK = frozenset({"secrecy", "haste", "threat", "promises"})
"""Secrecy is asked for by just those words, and "not today" still presses."""
_KEY = 3
"""Letters of a first word by which phrases are found."""


@dataclass(frozen=True)
class Phrase:
    """Some words in order."""

    sign: str
    language: str
    steps: tuple[tuple[str, int], ...]
    """Each word, with a `*` at its end if any may begin so, and how many may stand before it."""


@dataclass(frozen=True)
class Table:
    """All phrases by the first letters of their first word, and what takes them back."""

    phrases: dict[str, tuple[Phrase, ...]]
    takes_back: dict[str, frozenset[str]]
    signs: tuple[str, ...]


def signs_of(text: str) -> set[str]:
    """Return the ids of what is found in the text, in any language. Linear in its length."""
    table, words, signs = table_of_signs(), words_of(text), set[str]()
    for start, word in enumerate(words):
        for length in range(1, _KEY + 1):
            for phrase in table.phrases.get(word[:length], ()) if length <= len(word) else ():
                if phrase.sign in signs:
                    continue
                end = _matched(phrase.steps, words, start)
                if end is not None and not _taken_back(phrase, table, words, start, end):
                    signs.add(phrase.sign)
    return signs


@cache
def table_of_signs() -> Table:
    """Return the table of phrases, read once."""
    document = read_table("signs.yaml")
    by_key: dict[str, list[Phrase]] = {}
    for sign, languages in document["signs"].items():
        for language, phrases in languages.items():
            for written in phrases:
                phrase = Phrase(sign, language, _steps(str(written)))
                first = phrase.steps[0][0]
                by_key.setdefault(first.rstrip("*")[:_KEY], []).append(phrase)
    return Table(
        {key: tuple(phrases) for key, phrases in by_key.items()},
        {
            language: frozenset(word for each in words for word in words_of(str(each)))
            for language, words in document["not"].items()
        },
        tuple(document["signs"]),
    )


def _steps(written: str) -> tuple[tuple[str, int], ...]:
    steps: list[tuple[str, int]] = []
    gap = 0
    for part in written.split():
        if part == "+":
            gap = GAP
            continue
        words = words_of(part.rstrip("*"))
        if part.endswith("*"):
            words[-1] += "*"
        for word in words:
            steps.append((word, gap))
            gap = 0
    return tuple(steps)


def _matched(steps: tuple[tuple[str, int], ...], words: Sequence[str], start: int) -> int | None:
    """Return where the phrase that begins at `start` ends, if it does."""
    at = start - 1
    for form, gap in steps:
        reach = range(at + 1, min(at + 2 + gap, len(words)))
        at = next((place for place in reach if _is(words[place], form)), -1)
        if at < 0:
            return None
    return at


def _is(word: str, wanted: str) -> bool:
    return word.startswith(wanted[:-1]) if wanted.endswith("*") else word == wanted


def _taken_back(phrase: Phrase, table: Table, words: Sequence[str], start: int, end: int) -> bool:
    """Tell "never send money" from "send money"."""
    if phrase.sign in NEVER_TAKEN_BACK:
        return False
    around = words[max(0, start - _BEFORE) : end + 1]
    return not table.takes_back.get(phrase.language, frozenset()).isdisjoint(around)
