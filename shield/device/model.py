"""The linear model in one signed byte a weight: what a phone computes, computed here.

Sums of bytes are whole numbers, so two computers can only differ in the last bits of one division:
a margin is the same in Python, TypeScript and Kotlin to far less than 1e-6.
"""

import json
import math
import struct
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shield.characters import NO_WORDS, has_words
from shield.errors import PackageInvalid
from shield.labels import Certainty
from shield.linear import Features, LinearModel, over_windows

_MOST = 127
"""Largest byte; -128 is left out, so that both signs reach as far."""


class Operating(NamedTuple):
    """Where the operating point lies, and what is sure: as `Margin` and `Band` of a package."""

    scale: float = 1.0
    """Margin for each unit of log odds."""
    bias: float = 0.0
    harmless: float = 0.0
    """A verdict is surely harmless where the margin is below the negative of this."""
    scam: float = 0.0
    """It is surely a scam where the margin is above this."""


class DeviceModel(NamedTuple):
    """The judge on a phone."""

    weights: NDArray[np.int8]
    """One for each bucket, those of the characters first."""
    steps: tuple[float, ...]
    """Log odds of one unit of a byte: of the characters, and of the words where they are read."""
    bias: float
    features: Features
    operating: Operating

    def log_odds(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the log odds of the scam class for each text, shape (n,); 0 without words."""
        return np.array(
            [self._log_odds(text) if has_words(text) else 0.0 for text in texts], dtype=np.float64
        )

    def margins(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the margin of each text, shape (n,); flagged from 0 on."""
        return np.array([self.margin(text) for text in texts], dtype=np.float64)

    def margin(self, text: str) -> float:
        """Return the margin of one text, flagged from 0 on; of one without words, a hair below."""
        if not has_words(text):
            return NO_WORDS
        return self.operating.scale * self._log_odds(text) + self.operating.bias

    def certainty(self, margin: float) -> Certainty:
        """Return whether the verdict of a margin is sure, by the band."""
        unsure = -self.operating.harmless <= margin <= self.operating.scam
        return Certainty.UNSURE if unsure or abs(margin) <= 2 * -NO_WORDS else Certainty.SURE

    def _log_odds(self, text: str) -> float:
        return over_windows(text, self.features, self._of_window)

    def _of_window(self, blocks: list[NDArray[np.int64]]) -> float:
        log_odds = self.bias
        for block, step in zip(blocks, self.steps, strict=True):
            if block.size:
                units = int(self.weights[block].sum(dtype=np.int64))
                log_odds += step * units / math.sqrt(block.size)
        return log_odds

    def weights_file(self) -> bytes:
        """Return the weights as a safetensors file; the same weights give the same bytes."""
        raw = self.weights.tobytes()
        tensor = {"dtype": "I8", "shape": [self.weights.size], "data_offsets": [0, len(raw)]}
        header = json.dumps({"weights": tensor}, sort_keys=True).encode()
        header += b" " * (-len(header) % 8)
        return struct.pack("<Q", len(header)) + header + raw


def quantised(model: LinearModel) -> DeviceModel:
    """Return a linear model in bytes, with its own log odds as margin.

    Characters and words each get the step that their largest weight needs. A sum over n buckets is
    divided by the root of n, so rounding errors stay at about a third of a step, however long the
    text is.
    """
    size = 1 << model.features.bits
    blocks = [model.weights[:size], model.weights[size:]][: 1 + (model.features.words > 0)]
    steps = tuple(float(np.abs(block).max()) / _MOST or 1.0 for block in blocks)
    rounded = [
        np.round(block.astype(np.float64) / step).astype(np.int8)
        for block, step in zip(blocks, steps, strict=True)
    ]
    return DeviceModel(np.concatenate(rounded), steps, model.bias, model.features, Operating())


def read_weights(raw: bytes, origin: str) -> NDArray[np.int8]:
    """Return the weights of a file written by `weights_file`.

    Raises:
        PackageInvalid: It is none.
    """
    try:
        (length,) = struct.unpack_from("<Q", raw)
        tensor = json.loads(raw[8 : 8 + length])["weights"]
        start, end = tensor["data_offsets"]
        weights = np.frombuffer(raw[8 + length :][start:end], dtype=np.int8)
        if tensor["dtype"] != "I8" or tensor["shape"] != [weights.size]:
            raise ValueError(f"{tensor['dtype']} weights of shape {tensor['shape']}")
    except (ValueError, KeyError, TypeError, struct.error) as error:
        raise PackageInvalid(
            f"{origin} does not hold a phone's weights ({error}). Train the version again."
        ) from error
    return weights
