"""Text to verdict: one code that sets the operating point, evaluates, gates and serves.

The encoder reads a text in rows of token ids (`shield.encoder`), the linear model in windows of
characters (`shield.linear`). The weighted sum of their log odds is the text's margin, and zero is
the operating point: see `shield.packages.manifest.Margin`.
"""

import json
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from shield.characters import NO_WORDS, has_words
from shield.encoder import Encoder, Row, invalid
from shield.errors import PackageInvalid
from shield.labels import Certainty
from shield.linear import LinearModel
from shield.logistic import logit, probability_of
from shield.packages import ModelPackage
from shield.packages.manifest import LINEAR, SAMPLES
from shield.packages.served import Precision

OPERATING_POINT = 0.5
"""The probability from which a message is flagged, of every version: the margin is measured from
the operating point."""

SAMPLE_TOLERANCE: dict[Precision, float] = {"int8": 0.05, "fp32": 0.005}
"""How far a sample's probability may be from the package's: processors round differently."""

_SILENT_ROW: Row = (0,)
"""What a package without an encoder reads each text as: its score is 0."""


class Reading(NamedTuple):
    """A text as the predictor sees it, before the encoder is asked."""

    rows: list[Row]
    """None if there are no words in the text or the linear model answers alone, else at least
    one."""
    linear: float
    """Log odds by the linear model; 0 when the package has none."""


class Sample(NamedTuple):
    """A warm-up text and the probability that the encoder, or the linear model alone, must give."""

    text: str
    probability: float


class Predictor:
    """One model, loaded. Safe to share between threads: `score` holds no state."""

    def __init__(
        self,
        package: ModelPackage,
        precision: Precision = "int8",
        threads: int = 1,
        *,
        cascade: bool = False,
    ) -> None:
        """Load the model of a package; every byte is checked against the manifest as it is read.

        Args:
            package: An opened package. Whether its signature counts is the caller's question:
                `ModelPackage.verify`.
            precision: `int8` is what is served; `fp32` is the yardstick.
            threads: Threads for one call of `score`. A server uses 1 and calls it from many
                threads.
            cascade: Whether the linear model answers alone where the package says that it may.
                Evaluation asks the encoder of every message, and tells what this would change.

        Raises:
            PackageInvalid: A file cannot be read as what it should be, or a normaliser is not
                known.
            PackageCorrupt: A file's bytes are not those of the manifest.
        """
        self.package = package
        self.precision = precision
        self._margin = package.manifest.settled_margin()
        self._band = package.manifest.settled_band()
        self._bounds, self._cascade = package.manifest.cascade, cascade
        self._linear = _load_linear(package) if self._margin.linear else None
        self._encoder: Encoder | None = None
        if package.manifest.has_encoder:
            self._encoder = Encoder(package, precision, threads)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return how likely each text is a scam, shape (n,), in [0, 1]; flagged from one half on.

        The logistic function of `margins`.
        """
        return probability_of(self.margins(texts))

    def margins(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the margin of each text, shape (n,); flagged from 0 on."""
        readings = self.read(texts)
        scores = self._scored(readings)
        return np.array(
            [
                self._margin_of(part, reading.linear)
                for part, reading in zip(scores, readings, strict=True)
            ],
            dtype=np.float64,
        )

    def halves(self, texts: Sequence[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the log odds of each text by the encoder and by the linear model, shape (n,).

        Both are 0 for a text without words, and that of a half which the package does not have. The
        encoder is asked of every text.
        """
        readings = self.read(texts, whole=True)
        encoder = np.array([self._aggregate(part) for part in self._scored(readings)], np.float64)
        linear = np.array([reading.linear for reading in readings], dtype=np.float64)
        return encoder, linear

    def read(self, texts: Sequence[str], *, whole: bool = False) -> list[Reading]:
        """Return what the encoder is to be asked of each text, and what the linear model says.

        Args:
            texts: Any number.
            whole: Ask the encoder of all texts, also where the linear model would answer alone.
        """
        wordy = [has_words(text) for text in texts]
        linear = [
            self._linear.margin(text) if words and self._linear is not None else 0.0
            for text, words in zip(texts, wordy, strict=True)
        ]
        asked = [
            at
            for at, words in enumerate(wordy)
            if words and (whole or not self.answers_alone(linear[at]))
        ]
        rows = dict(zip(asked, self._rows([texts[at] for at in asked]), strict=True))
        return [Reading(rows.get(at, []), margin) for at, margin in enumerate(linear)]

    def answers_alone(self, linear: float) -> bool:
        """Tell whether the linear model settles the verdict of a text by these log odds."""
        return self._cascade and self._implied(linear) is not None

    def alone(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the margins of the texts that the linear model may answer alone, shape (n,).

        NaN: the encoder must be asked. The answer does not depend on whether `cascade` is on.
        """
        linear = [
            self._linear.margin(text) if self._linear is not None and has_words(text) else 0.0
            for text in texts
        ]
        nothing = np.empty(0)
        margins = [
            math.nan if self._implied(margin) is None else self._margin_of(nothing, margin)
            for margin in linear
        ]
        return np.array(margins, dtype=np.float64)

    def _implied(self, linear: float) -> float | None:
        """Return the log odds used for the encoder's where the linear model answers alone."""
        if self._bounds is None:
            return None
        harmless, scam = self._bounds.harmless, self._bounds.scam
        if harmless is not None and linear <= harmless.beyond:
            return harmless.encoder
        return scam.encoder if scam is not None and linear >= scam.beyond else None

    def _rows(self, texts: Sequence[str]) -> list[list[Row]]:
        if self._encoder is None:
            return [[_SILENT_ROW] for _ in texts]
        return self._encoder.rows(texts)

    def score(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """Return the encoder's log odds of each row, shape (n,). One call of the model.

        A model that has gone wrong gives NaN; it is returned as it is, for the caller to refuse.
        """
        if any(isinstance(row, str) for row in rows):
            raise TypeError(
                "score() takes rows of token ids, not texts. Give texts to probabilities()."
            )
        if self._encoder is None:
            return np.zeros(len(rows), dtype=np.float64)
        return self._encoder.score(rows)

    def _scored(self, readings: Sequence[Reading]) -> list[NDArray[np.float64]]:
        """Return the encoder's log odds of the rows of each text."""
        rows_of = [reading.rows for reading in readings]
        if self._encoder is None:
            return [np.zeros(len(rows), dtype=np.float64) for rows in rows_of]
        return self._encoder.score_each(rows_of)

    def _aggregate(self, scores: NDArray[np.float64]) -> float:
        """Return the encoder's log odds of a text from those of its rows; 0 if there are none."""
        if not scores.size or self._encoder is None:
            return 0.0
        return self._encoder.aggregate(scores)

    def settle(self, scores: NDArray[np.float64], linear: float) -> float:
        """Return a text's probability from the scores of its rows and its linear log odds."""
        return float(probability_of(np.array([self._margin_of(scores, linear)]))[0])

    def _margin_of(self, scores: NDArray[np.float64], linear: float) -> float:
        encoder = self._aggregate(scores) if scores.size else self._implied(linear)
        if encoder is None:
            return NO_WORDS
        return self._margin.encoder * encoder + self._margin.linear * linear + self._margin.bias

    def verdict(self, probability: float) -> str:
        """Return the label for a probability: the second of the package's from one half on."""
        return self.package.manifest.labels[int(probability >= OPERATING_POINT)]

    def certainty(self, probability: float) -> Certainty:
        """Return whether the verdict of a probability is sure, by the package's band."""
        margin = logit(probability)
        unsure = -self._band.harmless <= margin <= self._band.scam
        return Certainty.UNSURE if unsure or abs(margin) <= 2 * -NO_WORDS else Certainty.SURE

    def samples(self) -> list[Sample]:
        """Return the package's warm-up texts with this precision's expected probabilities.

        Raises:
            PackageInvalid: `samples.json` cannot be read, or holds none.
        """
        try:
            document = json.loads(self.package.read(SAMPLES))
            samples = [
                Sample(str(item["text"]), float(item["probability"][self.precision]))
                for item in document["samples"]
            ]
        except (ValueError, KeyError, TypeError) as error:
            raise invalid(self.package, SAMPLES, error) from error
        if not samples:
            raise invalid(self.package, SAMPLES, ValueError("there is no sample in it"))
        return samples

    def check_samples(self) -> float:
        """Ask the encoder the warm-up texts; return the largest difference from what is expected.

        The linear half is arithmetic on bytes that were checked: only the encoder depends on the
        machine. Where there is none, the linear model is asked all the same.

        Raises:
            PackageInvalid: One differs by more than `SAMPLE_TOLERANCE`: this machine or this
                library does not compute what the model's makers measured.
        """
        samples = self.samples()
        expected = np.array([sample.probability for sample in samples])
        encoder, linear = self.halves([sample.text for sample in samples])
        said = linear if self._encoder is None else encoder
        differences = np.abs(probability_of(said) - expected)
        worst = float(differences.max()) if np.isfinite(differences).all() else float("nan")
        if not worst <= SAMPLE_TOLERANCE[self.precision]:
            raise PackageInvalid(
                f"The {self.precision} model of {self.package.path} is off by {worst:.4f} on its "
                f"own samples (allowed: {SAMPLE_TOLERANCE[self.precision]}). Refusing to serve it. "
                "Serve the other precision, or export the model again with this release."
            )
        return worst


def _load_linear(package: ModelPackage) -> LinearModel:
    return LinearModel.from_bytes(package.read(LINEAR), f"{LINEAR} of {package.path}")
