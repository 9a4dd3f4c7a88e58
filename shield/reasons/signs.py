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
"""Letters of the beginning of a first word by which phrases are found."""


@dataclass(frozen=True)
class Phrase:
    """Some words in order."""

    sign: str
    language: str
    steps: tuple[tuple[str, int], ...]
    """Each word, with a `*` at its end if any may begin so, and how many may stand before it."""


@dataclass(frozen=True)
class Table:
    """All phrases, also by their first words, and what takes them back."""

    phrases: tuple[Phrase, ...]
    by_word: dict[str, tuple[Phrase, ...]]
    """Those that begin with a whole word."""
    by_beginning: dict[str, tuple[Phrase, ...]]
    """Those whose first word is only begun, by its first letters."""
    takes_back: dict[str, frozenset[str]]
    signs: tuple[str, ...]


def signs_among(words: Sequence[str]) -> set[str]:
    """Return the ids of what is found in a text, in any language, by its words (`words_of`).

    Linear in their number.
    """
    table, signs = table_of_signs(), set[str]()
    whole, begun = table.by_word.get, table.by_beginning.get
    for start, word in enumerate(words):
        candidates = whole(word, ())
        for length in range(1, min(_KEY, len(word)) + 1):
            candidates += begun(word[:length], ())
        for phrase in candidates:
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
    phrases = tuple(
        Phrase(sign, language, _steps(str(written)))
        for sign, languages in document["signs"].items()
        for language, all_written in languages.items()
        for written in all_written
    )
    by_word: dict[str, tuple[Phrase, ...]] = {}
    by_beginning: dict[str, tuple[Phrase, ...]] = {}
    for phrase in phrases:
        first = phrase.steps[0][0]
        begun = first.endswith("*")
        group, key = (by_beginning, first[:-1][:_KEY]) if begun else (by_word, first)
        group[key] = (*group.get(key, ()), phrase)
    return Table(
        phrases,
        by_word,
        by_beginning,
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
        for place in range(at + 1, min(at + 2 + gap, len(words))):
            word = words[place]
            if word == form or (form[-1] == "*" and word.startswith(form[:-1])):
                at = place
                break
        else:
            return None
    return at


def _taken_back(phrase: Phrase, table: Table, words: Sequence[str], start: int, end: int) -> bool:
    """Tell "never send money" from "send money"."""
    if phrase.sign in NEVER_TAKEN_BACK:
        return False
    around = words[max(0, start - _BEFORE) : end + 1]
    return not table.takes_back.get(phrase.language, frozenset()).isdisjoint(around)
