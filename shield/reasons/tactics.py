"""Which tactic of the book a message reads like, if it is near to any.

A complement naive Bayes (Rennie et al., "Tackling the Poor Assumptions of Naive Bayes Text
Classifiers", 2003) over the book's teaching templates: made in a third of a second when it is first
needed, a fraction of a millisecond for a message. Nothing of the judging half is looked at, which
therefore tells how often a tactic is named and how often rightly.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shield.book import Book, Side, read_book
from shield.book.template import literals
from shield.linear import Features, blocks_of
from shield.reasons.words import words_of

NEAR = 0.18
"""Least lead of the first tactic before the second at which it is named. From eight folds of the
teaching templates: one of five scams gets a name there, and nine of ten of those the right one. The
more ways of telling a tactic the book knows, the nearer the second is.
"""
_FEATURES = Features(shortest=4, longest=5, bits=15, words=2)
_SMOOTHING = 0.1
_making = threading.Lock()


class Likeness(NamedTuple):
    """The nearest tactic, and its lead before the next in log odds per unit of text."""

    tactic: str
    lead: float


@dataclass(frozen=True)
class Tactics:
    """What each bucket of features says for each tactic."""

    names: tuple[str, ...]
    weights: NDArray[np.float32]
    """Shape (buckets, tactics); the greater, the more the bucket speaks for the tactic."""
    rarity: NDArray[np.float32]
    """Shape (buckets,)."""

    def nearest(self, words: Sequence[str]) -> Likeness | None:
        """Return the tactic that a text's words are nearest to; None if none of it is known."""
        buckets = _buckets(words)
        vector = self.rarity[buckets]
        length = float(np.sqrt((vector * vector).sum()))
        if not length:
            return None
        scores = (vector / length) @ self.weights[buckets]
        second, first = np.argsort(scores)[-2:]
        return Likeness(self.names[first], float(scores[first] - scores[second]))


def nearest(text: str) -> str | None:
    """Return the id of the tactic that the text reads like, or None if it is near to none."""
    return nearest_among(words_of(text))


def nearest_among(words: Sequence[str]) -> str | None:
    """Return the tactic of a text's words, as `words_of` returns them; as `nearest`."""
    candidates = tactics_of_the_book().nearest(words)
    return candidates.tactic if candidates is not None and candidates.lead >= NEAR else None


@cache
def book() -> Book:
    """Return the book, read once."""
    return read_book()


def tactics_of_the_book() -> Tactics:
    """Return the tactics as the book's templates teach them, made once."""
    with _making:
        return _of_the_book()


@cache
def _of_the_book() -> Tactics:
    return learn(teaching(book()))


def teaching(read: Book) -> list[tuple[str, str]]:
    """Return (tactic, words) of every scam template that teaches, slots left out."""
    return [
        (tactic, literals(template))
        for language in read.languages.values()
        for (side, _), file in language.files.items()
        if side is Side.TEACH
        for tactic, pair in file.tactics.items()
        for template in pair.scam
    ]


def learn(templates: Sequence[tuple[str, str]]) -> Tactics:
    """Return what (tactic, text) teach; at least two tactics are needed."""
    names = sorted({tactic for tactic, _ in templates})
    rows = [_buckets(words_of(text)) for _, text in templates]
    spread = np.bincount(np.concatenate(rows), minlength=_FEATURES.buckets)
    rarity = np.log(1 + len(rows) / np.maximum(spread, 1)).astype(np.float32)
    # What one template alone has tells nothing of the others of its tactic.
    taught = np.where(spread > 1, rarity, 0)
    counts = np.zeros((_FEATURES.buckets, len(names)), dtype=np.float32)
    for (tactic, _), row in zip(templates, rows, strict=True):
        vector = taught[row]
        counts[row, names.index(tactic)] += vector / max(1e-9, np.sqrt((vector**2).sum()))
    others = counts.sum(axis=1, keepdims=True) - counts + _SMOOTHING
    weights = -np.log(others / others.sum(axis=0, keepdims=True))
    return Tactics(tuple(names), weights.astype(np.float32), rarity)


def _buckets(words: Sequence[str]) -> NDArray[np.int64]:
    return np.concatenate(blocks_of(" ".join(words), _FEATURES))
