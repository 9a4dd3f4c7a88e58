"""The index of known campaigns: what it finds of paraphrases, and that what is gone stays gone."""

import numpy as np
from numpy.typing import NDArray

from api.known.index import KnownIndex
from shield.similarity import PERMUTATIONS


def name(number: int) -> str:
    return f"{number:032x}"


def test_paraphrases_are_found_among_strangers_and_strangers_are_not() -> None:
    rng = np.random.default_rng(7)
    rows = rng.integers(0, 2**16, (3_000, PERMUTATIONS), dtype=np.uint16)
    index = KnownIndex()
    index.change([name(number) for number in range(3_000)], range(3_000), rows)
    found = {}
    for likeness in (0.4, 0.5, 0.8):
        asked = rows[:600].copy()
        other = rng.random(asked.shape) > likeness
        asked[other] = rng.integers(0, 2**16, int(other.sum()))
        hits = [name(n) in index.candidates(row.astype(np.uint64)) for n, row in enumerate(asked)]
        found[likeness] = np.mean(hits)
    assert found[0.4] > 0.95, "a single grouping of the rows finds 0.89"
    assert found[0.5] > 0.99
    assert found[0.8] == 1.0
    strangers = rng.integers(0, 2**16, (300, PERMUTATIONS), dtype=np.uint16)
    assert not any(index.candidates(row.astype(np.uint64)) for row in strangers)


def test_changes_count_whatever_segment_they_are_in() -> None:
    rng = np.random.default_rng(8)
    index = KnownIndex()
    alive: dict[int, NDArray[np.uint16]] = {}
    for step in range(60):
        number = int(rng.integers(25))
        row = rng.integers(0, 2**16, PERMUTATIONS, dtype=np.uint16)
        if number in alive and step % 3 == 0:
            index.change([], [], np.empty((0, PERMUTATIONS), dtype=np.uint16), [name(number)])
            gone = alive.pop(number)
            assert index.candidates(gone.astype(np.uint64)) == []
            continue
        index.change([name(number)], [step], row[None])
        alive[number] = row
        assert len(index) == len(alive)
        for each, kept in alive.items():
            assert index.candidates(kept.astype(np.uint64)) == [name(each)]
