"""The linear model over character n-grams: the yardstick beside the transformer, and its fallback.

Needs numpy alone, loads in a millisecond and answers a short message in a fraction of one, so that
a server can give a verdict before its transformer is warm, or when it is too busy. A transformer
that does not beat it is not worth its pods.

One safetensors file holds it: `weights` (one number per n-gram bucket) and, as metadata, the bias,
the threshold and the names of what was done to the text. Nothing in it is executed.
"""

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shield.errors import PackageInvalid
from shield.text import DEFAULT_NORMALISER, normaliser

FORMAT = "shield-linear-1"
_MOST_CHARACTERS = 20_000
_HEADER_LIMIT = 65_536


class Features(NamedTuple):
    """What is looked at in a text."""

    shortest: int = 1
    """Characters of the shortest n-gram."""
    longest: int = 5
    """Characters of the longest."""
    bits: int = 18
    """Two to this power is the number of buckets; n-grams that share one are not told apart."""
    normaliser: str = DEFAULT_NORMALISER


def buckets_of(text: str, features: Features) -> NDArray[np.int64]:
    """Return the n-gram buckets that occur in `text`, each once, sorted.

    Case is kept beside its fold: SHOUTING tells scams, and must not hide the word that is shouted.
    Of texts over 20,000 characters the ends are read: what a scam wants stands at one of them.
    """
    text = normaliser(features.normaliser)(text)
    if len(text) > _MOST_CHARACTERS:
        text = text[: _MOST_CHARACTERS // 2] + text[-_MOST_CHARACTERS // 2 :]
    folded = text.lower()
    found = [_hashes(f" {folded} ", features, seed=1)]
    if folded != text:
        found.append(_hashes(f" {text} ", features, seed=2))
    return np.unique(np.concatenate(found))


def _hashes(text: str, features: Features, seed: int) -> NDArray[np.int64]:
    # Lone surrogates are legal in a str and illegal in UTF-32: the replacement stands for them.
    points = np.frombuffer(text.encode("utf-32-le", "replace"), dtype="<u4").astype(np.uint64)
    rolling = np.full(points.size, seed, dtype=np.uint64)
    parts = []
    with np.errstate(over="ignore"):  # arithmetic modulo 2**64 is the point of the hash
        for n in range(1, features.longest + 1):
            reach = points.size - n + 1
            if reach < 1:
                break
            rolling = (
                rolling[:reach] * np.uint64(0x9E3779B97F4A7C15) + points[n - 1 :] + np.uint64(n)
            )
            if n >= features.shortest:
                mixed = (rolling ^ (rolling >> np.uint64(29))) * np.uint64(0xBF58476D1CE4E5B9)
                parts.append((mixed >> np.uint64(64 - features.bits)).astype(np.int64))
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


@dataclass(frozen=True)
class LinearModel:
    """Logistic regression over the presence of n-grams, each text scaled to unit length."""

    weights: NDArray[np.float32]
    bias: float
    threshold: float
    features: Features

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of the scam class for each text, shape (n,), in [0, 1]."""
        return np.array([self._probability(text) for text in texts], dtype=np.float64)

    def _probability(self, text: str) -> float:
        buckets = buckets_of(text, self.features)
        margin = self.bias
        if buckets.size:
            margin += float(self.weights[buckets].sum(dtype=np.float64)) / math.sqrt(buckets.size)
        return 0.5 * (1.0 + math.tanh(0.5 * margin))

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
            if about["format"] != FORMAT or tensor["dtype"] != "F16":
                raise ValueError(f"format {about['format']!r} with {tensor['dtype']} weights")
            start, end = tensor["data_offsets"]
            weights = np.frombuffer(raw[8 + length :][start:end], dtype="<f2").astype(np.float32)
            features = Features(
                int(about["shortest"]),
                int(about["longest"]),
                int(about["bits"]),
                about["normaliser"],
            )
            model = cls(weights, float(about["bias"]), float(about["threshold"]), features)
            if weights.size != 1 << features.bits or tensor["shape"] != [weights.size]:
                raise ValueError(f"{weights.size} weights for {features.bits} bits")
            if not (np.isfinite(weights).all() and math.isfinite(model.bias)):
                raise ValueError("weights that are not finite")
            if not 0 < model.threshold <= 1:
                raise ValueError(f"the threshold {model.threshold}")
        except (ValueError, KeyError, TypeError, struct.error) as error:
            raise PackageInvalid(
                f"{origin} is not a linear model of this release ({error}). "
                "Train the baseline again."
            ) from error
        normaliser(features.normaliser)  # refuses an unknown one now, not at the first message
        return model
