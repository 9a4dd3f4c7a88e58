"""The linear model over n-grams of characters and of words: one half of the predictor.

Needs numpy alone, loads in a millisecond and answers a short message in a fraction of one. It reads
every character of a message, and errs on other messages than a transformer does: the average of
both finds more than either.

A text longer than `Features.reach` is read in windows that overlap by half, too, and the one most
like a scam speaks for it: the margin of a whole text tells how long it is rather than what is in
it, where it is longer than what was taught. It grows with the root of the length.

One safetensors file holds it: `weights` (one number per bucket, those of the characters first) and,
as metadata, the bias, the threshold, the names of what was done to the text, and what it was fitted
by. Nothing in it is executed.
"""

import json
import math
import re
import struct
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shield.errors import PackageInvalid
from shield.logistic import probability_of
from shield.text import DEFAULT_NORMALISER, normaliser

FORMAT = "shield-linear-3"
WHOLE_TEXTS = "shield-linear-2"
"""The format of earlier releases, which read long texts as a whole. Still read."""
CHARACTERS_ONLY = "shield-linear-1"
"""The format before, without n-grams of words. Still read."""
_MOST_CHARACTERS = 20_000
_WORD, _DIGIT = re.compile(r"\w+|[^\w\s]"), re.compile(r"\d")
_HEADER_LIMIT = 65_536


class Origin(NamedTuple):
    """What a model was fitted by; empty where an earlier release fitted it."""

    recipe: str = ""
    """Version of the way in which it was fitted: `components.baseline.step.RECIPE`."""
    corpus: str = ""
    """Digest of the base corpus that taught: `shield.run_files.Corpus.teaching`."""
    parent: str = ""
    """Digest of the package whose linear half it went on from; empty: it was fitted anew."""


_UNKNOWN = Origin()


class Features(NamedTuple):
    """What is looked at in a text."""

    shortest: int = 1
    """Characters of the shortest n-gram."""
    longest: int = 5
    """Characters of the longest."""
    bits: int = 18
    """Two to this power is the number of buckets; n-grams that share one are not told apart."""
    normaliser: str = DEFAULT_NORMALISER
    words: int = 3
    """Words of the longest n-gram of words; 0: words are not looked at."""
    reach: int = 160
    """Characters of a window; 0: every text is read as a whole, and only so."""
    whole: int = 200
    """Characters; a text longer than this and than a window is read in windows alone."""
    window_cost: float = 0.5
    """Log odds taken off a window: the highest of many is high by chance."""

    @property
    def buckets(self) -> int:
        """Buckets of characters and of words together."""
        return (1 + (self.words > 0)) << self.bits


def blocks_of(text: str, features: Features) -> list[NDArray[np.int64]]:
    """Return the buckets that occur in the whole of `text`, sorted: of characters, then of words.

    Case is kept beside its fold: SHOUTING tells scams, and must not hide the word that is shouted.
    A word's digits count as one digit, so that a campaign's next number is no new word. Of texts
    over 20,000 characters, more than the API takes, the ends are read.
    """
    return _blocks(_normalised(text, features), features)


def over_windows(
    text: str, features: Features, said: Callable[[list[NDArray[np.int64]]], float]
) -> float:
    """Return what is said of the whole, or of the window most like a scam if that is more.

    Args:
        text: As scanned. Whether it has windows and is read as a whole depends on its length.
        features: What is looked at.
        said: Gives the log odds of a window's buckets, as `blocks_of` returns them.
    """
    text = _normalised(text, features)
    size = features.reach
    values = []
    if size == 0 or len(text) <= max(size, features.whole):
        values.append(said(_blocks(text, features)))
    if 0 < size < len(text):
        last = len(text) - size
        starts = [*range(0, last, max(1, size // 2)), last]
        windows = (text[start : start + size] for start in starts)
        values += [said(_blocks(each, features)) - features.window_cost for each in windows]
    return max(values)


def _normalised(text: str, features: Features) -> str:
    text = normaliser(features.normaliser)(text)
    if len(text) > _MOST_CHARACTERS:
        text = text[: _MOST_CHARACTERS // 2] + text[-_MOST_CHARACTERS // 2 :]
    return text


def _blocks(text: str, features: Features) -> list[NDArray[np.int64]]:
    folded = text.lower()
    letters = partial(_hashes, shortest=features.shortest, longest=features.longest)
    hashed = [letters(_points(f" {folded} "), features.bits, seed=1)]
    if folded != text:
        hashed.append(letters(_points(f" {text} "), features.bits, seed=2))
    blocks = [_distinct(np.concatenate(hashed))]
    if features.words:
        spelled = _hashes(_words(folded), features.bits, shortest=1, longest=features.words, seed=3)
        blocks.append(_distinct(spelled) + (1 << features.bits))
    return blocks


def _distinct(buckets: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what occurs, sorted: as `np.unique`, which takes eight times as long."""
    small = buckets.astype(np.int32)  # a bucket has 25 bits at most
    small.sort()
    keep = np.ones(small.size, dtype=np.bool_)
    np.not_equal(small[1:], small[:-1], out=keep[1:])
    return small[keep].astype(np.int64)


def _points(text: str) -> NDArray[np.uint64]:
    # Lone surrogates are legal in a str and illegal in UTF-32: the replacement stands for them.
    return np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint64)


def _words(folded: str) -> NDArray[np.uint64]:
    """Return a number for each word and each mark between words, in order."""
    spelled = _WORD.findall(_DIGIT.sub("0", folded))
    return np.array([zlib.crc32(word.encode("utf-8", "replace")) for word in spelled], np.uint64)


def _hashes(
    points: NDArray[np.uint64], bits: int, *, shortest: int, longest: int, seed: int
) -> NDArray[np.int64]:
    """Return the bucket of every run of `shortest` to `longest` neighbours."""
    rolling = np.full(points.size, seed, dtype=np.uint64)
    parts = []
    with np.errstate(over="ignore"):  # arithmetic modulo 2**64 is the point of the hash
        for n in range(1, longest + 1):
            reach = points.size - n + 1
            if reach < 1:
                break
            rolling = (
                rolling[:reach] * np.uint64(0x9E3779B97F4A7C15) + points[n - 1 :] + np.uint64(n)
            )
            if n >= shortest:
                mixed = (rolling ^ (rolling >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
                parts.append((mixed >> np.uint64(64 - bits)).astype(np.int64))
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class LinearModel:
    """Logistic regression over the presence of n-grams.

    Those of the characters, and those of the words, are each scaled to unit length: there are ten
    times more of the former, and they would drown the latter.
    """

    weights: NDArray[np.float32]
    bias: float
    threshold: float
    features: Features
    origin: Origin = _UNKNOWN

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of the scam class for each text, shape (n,), in [0, 1]."""
        return probability_of(self.margins(texts))

    def margins(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the log odds of the scam class for each text, shape (n,)."""
        return np.array([self.margin(text) for text in texts], dtype=np.float64)

    def margin(self, text: str) -> float:
        """Return the log odds of the scam class."""
        return over_windows(text, self.features, self._log_odds)

    def _log_odds(self, blocks: list[NDArray[np.int64]]) -> float:
        log_odds = self.bias
        for block in blocks:
            if block.size:
                log_odds += float(self.weights[block].sum(dtype=np.float64)) / math.sqrt(block.size)
        return log_odds

    def save(self, path: Path) -> None:
        """Write the model as one safetensors file; the same model gives the same bytes."""
        tensor = self.weights.astype("<f2").tobytes()
        header = {
            "__metadata__": {
                "format": FORMAT,
                "bias": repr(self.bias),
                "threshold": repr(self.threshold),
                "shortest": str(self.features.shortest),
                "longest": str(self.features.longest),
                "bits": str(self.features.bits),
                "normaliser": self.features.normaliser,
                "words": str(self.features.words),
                "reach": str(self.features.reach),
                "whole": str(self.features.whole),
                "window_cost": repr(self.features.window_cost),
                **{name: value for name, value in self.origin._asdict().items() if value},
            },
            "weights": {
                "dtype": "F16",
                "shape": [self.weights.size],
                "data_offsets": [0, len(tensor)],
            },
        }
        raw = json.dumps(header, sort_keys=True).encode()
        raw += b" " * (-len(raw) % 8)
        path.write_bytes(struct.pack("<Q", len(raw)) + raw + tensor)

    @classmethod
    def load(cls, path: Path) -> "LinearModel":
        """Read a model from a file. Raises as `from_bytes`.

        Raises:
            PackageInvalid: The file cannot be read.
        """
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise PackageInvalid(
                f"{path} cannot be read: {error.strerror or error}. Train the baseline again."
            ) from error
        return cls.from_bytes(raw, str(path))

    @classmethod
    def from_bytes(cls, raw: bytes, origin: str) -> "LinearModel":
        """Read a model from the bytes of its file.

        Raises:
            PackageInvalid: The bytes are not such a model, or one that this release cannot compute.
        """
        try:
            (length,) = struct.unpack_from("<Q", raw)
            if length > _HEADER_LIMIT:
                raise ValueError(f"a header of {length} bytes")
            header = json.loads(raw[8 : 8 + length])
            about, tensor = header["__metadata__"], header["weights"]
            known = about["format"] in {FORMAT, WHOLE_TEXTS, CHARACTERS_ONLY}
            if not known or tensor["dtype"] != "F16":
                raise ValueError(f"format {about['format']!r} with {tensor['dtype']} weights")
            start, end = tensor["data_offsets"]
            weights = np.frombuffer(raw[8 + length :][start:end], dtype="<f2").astype(np.float32)
            features = Features(
                int(about["shortest"]),
                int(about["longest"]),
                int(about["bits"]),
                about["normaliser"],
                0 if about["format"] == CHARACTERS_ONLY else int(about["words"]),
                *(
                    (int(about["reach"]), int(about["whole"]), float(about["window_cost"]))
                    if about["format"] == FORMAT
                    else (0, 0, 0.0)
                ),
            )
            by = Origin(*(str(about.get(name, "")) for name in Origin._fields))
            model = cls(weights, float(about["bias"]), float(about["threshold"]), features, by)
            if weights.size != features.buckets or tensor["shape"] != [weights.size]:
                raise ValueError(f"{weights.size} weights for {features.bits} bits")
            if not (np.isfinite(weights).all() and math.isfinite(model.bias)):
                raise ValueError("weights that are not finite")
            if not 0 < model.threshold <= 1:
                raise ValueError(f"the threshold {model.threshold}")
            if features.reach < 0 or not math.isfinite(features.window_cost):
                raise ValueError(f"windows of {features.reach} at {features.window_cost}")
        except (ValueError, KeyError, TypeError, struct.error) as error:
            raise PackageInvalid(
                f"{origin} is not a linear model of this release ({error}). "
                "Train the baseline again."
            ) from error
        normaliser(features.normaliser)  # refuses an unknown one now, not at the first message
        return model
