"""Sketches of messages: MinHash of their character and word shingles, by numpy, for one or many.

Two messages are alike by the share of shingles that they have in common (Jaccard). The share of
equal rows of their sketches estimates it; messages that agree on a whole band of rows are compared.

Source: Broder, "On the resemblance and containment of documents" (1997); banding as in Leskovec,
Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3.
"""

import hashlib
from collections.abc import Sequence
from functools import lru_cache
from struct import iter_unpack, unpack

import numpy as np
from numpy.typing import NDArray

from shield.similarity import alone

PERMUTATIONS = 96
ROWS_PER_BAND = 3
"""32 bands of 3 rows: of two messages that are alike to 0.45 95 % meet in some band, to 0.6 99.9 %,
to 0.05 (strangers) 0.4 %; the comparison that follows drops the latter."""
SIMILAR = 0.45
"""Likeness from which two messages are one campaign. Of real text messages no scam is as like as
that to any harmless one (at most 0.32), and of copies in disguise 98 in 100 are."""

_CHARACTERS = 4
_WORD_VOICES = 2
"""How often each word counts beside the characters: a short word has as many shingles of its own as
it has letters, so that words would else be drowned."""
_BEGIN, _END = "\x02", "\x01" * (_CHARACTERS - 1)
"""Around each message, so that one without a word has a shingle too."""
_MARKS = "\x01\x02\n"
"""Not within a message that is sketched by itself."""
_LONGEST_WORD = 64
_WITHIN, _LONG = 0.6, 40
"""A message of forty shingles is a copy if the other holds three quarters of it. No real harmless
message is held by a scam, or holds one, to more than a half."""
_CHUNK = 2_000
"""Messages whose shingles are hashed at once: more do not fit the processor's cache."""

_NUMBERS = tuple(b"%d " % number for number in range(PERMUTATIONS // ROWS_PER_BAND))
"""The beginning of what is hashed of each band."""

Sketches = NDArray[np.uint32]
"""Shape (messages, rows)."""
Halves = NDArray[np.uint16]
"""The lower half of each row, as sketches are kept: 1 in 65,536 is equal by chance."""


def likeness(one: str, other: str) -> float:
    """Return the share of shingles that the words of two messages have in common, 0 to 1."""
    return shared(shingles(one), shingles(other))


def shared(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the share of common shingles of two sets of `shingles`, 0 to 1.

    Or, if that is more, `_WITHIN` of the share of the shorter one that the longer holds, if it is
    long enough to say anything: a copy may lack a sentence, or have a greeting in front.
    """
    common, shorter = len(one & other), min(len(one), len(other))
    whole = common / (len(one) + len(other) - common)
    return max(whole, _WITHIN * common / shorter) if shorter >= _LONG else whole


def shingles(words: str) -> frozenset[str]:
    """Return what is compared: runs of four characters, blanks left out, and words."""
    run = f"{_BEGIN}{words.replace(' ', '')}{_END}"
    parts = {run[at : at + _CHARACTERS] for at in range(len(run) - _CHARACTERS + 1)}
    for voice in range(_WORD_VOICES):
        parts.update(f" {voice}{word[:_LONGEST_WORD]}" for word in words.split())
    return frozenset(parts)


@lru_cache(maxsize=8)
def _hashes_of(key: bytes) -> tuple[Sketches, Sketches]:
    """Return factors (odd) and summands of each row's hash function, drawn by the key."""
    stream = hashlib.shake_256(b"similarity " + key).digest(8 * PERMUTATIONS)
    numbers = np.frombuffer(stream, dtype="<u4").astype(np.uint32)
    return numbers[:PERMUTATIONS] | np.uint32(1), numbers[PERMUTATIONS:]


def sketches(words: Sequence[str], key: bytes = b"", rows: int = PERMUTATIONS) -> Sketches:
    """Return the sketch of each message, shape (n, rows).

    Args:
        words: Folded words (`Form.words`), no line breaks.
        key: Draws the hash functions: who does not know it cannot sketch a guessed message.
        rows: The first so many rows of each sketch.
    """
    factors, summands = _hashes_of(key)
    if len(words) == 1 and not any(mark in words[0] for mark in _MARKS):
        return _alone(words[0], factors[:rows], summands[:rows])[None]
    minima = np.empty((len(words), rows), dtype=np.uint32)
    for start in range(0, len(words), _CHUNK):
        part = words[start : start + _CHUNK]
        runs, first_run, single, first_word, has_words = _hashed(part)
        here = minima[start : start + len(part)]
        for row in range(rows):
            lowest = np.minimum.reduceat(runs * factors[row] + summands[row], first_run)
            if single.size:
                lowest[has_words] = np.minimum(
                    lowest[has_words],
                    np.minimum.reduceat(single * factors[row] + summands[row], first_word),
                )
            here[:, row] = lowest
    return minima


def bands(sketch: Sketches, key: bytes, scope: str) -> list[int]:
    """Return a keyed hash of each band of one sketch, as a signed 64-bit number.

    Args:
        sketch: Shape (rows,).
        key: Secret key of the deployment, so that the database alone cannot confirm a guess.
        scope: What must be the same beside the message, such as the model type.
    """
    rows = sketch.astype("<u4").tobytes()
    keyed = hashlib.blake2b(scope.encode(), key=key[:64], digest_size=8)
    hashes = []
    for number, (band,) in zip(_NUMBERS, iter_unpack(f"{4 * ROWS_PER_BAND}s", rows), strict=False):
        digest = keyed.copy()
        digest.update(number + band)
        hashes.append(digest.digest())
    return list(unpack(f"<{len(hashes)}q", b"".join(hashes)))


def estimate(sketch: Sketches | Halves, others: Sketches | Halves) -> NDArray[np.float64]:
    """Return the estimated likeness of a message to each of others, shape (n,)."""
    return np.asarray(np.mean(others == sketch, axis=-1), dtype=np.float64)


_POWERS = np.cumprod(np.full(_LONGEST_WORD, 0x01000193, np.uint32), dtype=np.uint32)
_POWERS_AND_ZERO = np.append(_POWERS, np.uint32(0))
_SALTS = np.arange(1, _WORD_VOICES + 1, dtype=np.uint32) * np.uint32(0x85EBCA77)


def _alone(words: str, factors: Sketches, summands: Sketches) -> Sketches:
    """Return the sketch of one message, shape (rows,)."""
    letters = alone.letters_of(f"{_BEGIN}{words.replace(' ', '')}{_END}")
    parts = [alone.runs_of(letters, _CHARACTERS)]
    if lengths := [len(word) for word in words.split(" ") if word]:
        total = alone.words_of(letters[1 : 1 - _CHARACTERS], lengths, _POWERS_AND_ZERO)
        parts += [total ^ salt for salt in _SALTS]
    return alone.lowest(parts, factors, summands)


def _hashed(
    words: Sequence[str],
) -> tuple[Sketches, NDArray[np.int64], Sketches, NDArray[np.int64], NDArray[np.int64]]:
    """Return hashes of runs and where each message's begin; of words, where, and who has any."""
    codes = np.frombuffer(
        "".join(f"{_BEGIN}{each}{_END}\n" for each in words).encode("utf-32-le"), "<u4"
    )
    codes = np.asarray(codes, dtype=np.uint32)
    ends, blanks = codes == 10, codes == 32
    letters = ~(ends | blanks)
    message = np.cumsum(ends) - ends
    of_letter = message[letters]
    run = codes[letters]
    stirred = _stirred(run)
    mixed: Sketches = np.zeros(len(run) - _CHARACTERS + 1, dtype=np.uint32)
    for at in range(_CHARACTERS):
        mixed = (mixed ^ stirred[at : len(run) - _CHARACTERS + 1 + at]) * np.uint32(0x9E3779B1)
    whole = np.flatnonzero(of_letter[: len(mixed)] == of_letter[_CHARACTERS - 1 :])
    owners = of_letter[whole]
    first_run = np.flatnonzero(np.diff(owners, prepend=-1))
    text = letters & (codes > 2)  # the marks around a message are no words of it
    starts = text.copy()
    starts[1:] &= ~text[:-1]
    begins = np.flatnonzero(starts)
    if not begins.size:
        nothing = np.empty(0, dtype=np.int64)
        return _stirred(mixed[whole]), first_run, np.empty(0, np.uint32), nothing, nothing
    index = np.flatnonzero(text)
    word = np.cumsum(starts[index]) - 1
    place = index - begins[word]
    short = place < _LONGEST_WORD
    place = place[short]
    parts = _stirred(codes[index[short]]) * _POWERS[place]
    total = np.add.reduceat(parts, np.flatnonzero(place == 0), dtype=np.uint32)
    of_word = message[begins]
    voices: Sketches = np.repeat(total, _WORD_VOICES)
    voices = _stirred(voices ^ np.tile(_SALTS, len(total)))
    first_word = np.flatnonzero(np.diff(of_word, prepend=-1))
    return _stirred(mixed[whole]), first_run, voices, first_word * _WORD_VOICES, of_word[first_word]


def _stirred(values: Sketches) -> Sketches:
    """Spread numbers evenly (the finaliser of MurmurHash3)."""
    values = values ^ (values >> np.uint32(16))
    values = values * np.uint32(0x85EBCA6B)
    values = values ^ (values >> np.uint32(13))
    values = values * np.uint32(0xC2B2AE35)
    return np.asarray(values ^ (values >> np.uint32(16)), dtype=np.uint32)
