"""The sketch of one message: as `sketch` makes those of thousands, for half the cost.

The API sketches each message by itself, while its sender waits. Numpy then costs by the call, not
by the character, and this makes a third of the calls. A test compares both ways.
"""

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.uint32]

_SPREAD = np.uint32(0x85EBCA6B), np.uint32(0xC2B2AE35)
_MIX = np.uint32(0x9E3779B1)
_HALF, _FEW = np.uint32(16), np.uint32(13)


def letters_of(run: str) -> Numbers:
    """Return the hashed letters of a text."""
    return _stir(np.frombuffer(run.encode("utf-32-le"), np.uint32).copy())


def runs_of(letters: Numbers, characters: int) -> Numbers:
    """Return a number for each run of so many letters."""
    count = len(letters) - characters + 1
    mixed = letters[:count] * _MIX
    for at in range(1, characters):
        mixed ^= letters[at : count + at]
        mixed *= _MIX
    return mixed


def words_of(letters: Numbers, lengths: list[int], powers: Numbers) -> Numbers:
    """Return a number for each word.

    Args:
        letters: The hashed letters of all words.
        lengths: Letters of each word, none of them 0.
        powers: Factor of a letter by its place; 0 at the last place, which stands for all beyond.
    """
    sizes = np.array(lengths, dtype=np.int64)
    begins: NDArray[np.int64] = np.cumsum(sizes) - sizes
    place = np.arange(len(letters), dtype=np.int64)
    place -= begins.repeat(sizes)
    np.minimum(place, len(powers) - 1, out=place)
    return np.add.reduceat(letters * powers[place], begins, dtype=np.uint32)


def lowest(parts: list[Numbers], factors: Numbers, summands: Numbers) -> Numbers:
    """Return the least value of each row's hash function over all numbers, spread evenly."""
    table = np.multiply.outer(factors, _stir(np.concatenate(parts)))
    table += summands[:, None]
    return np.asarray(np.minimum.reduce(table, axis=1), dtype=np.uint32)


def _stir(values: Numbers) -> Numbers:
    """Spread numbers evenly, in place (the finaliser of MurmurHash3)."""
    values ^= values >> _HALF
    values *= _SPREAD[0]
    values ^= values >> _FEW
    values *= _SPREAD[1]
    values ^= values >> _HALF
    return values
