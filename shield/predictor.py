"""Text to probabilities: one code for evaluation and for the model server.

Only numpy, onnxruntime and tokenizers, so that neither needs torch.

A text becomes *rows* of token ids. A short text is one row. A longer one is cut into windows of
`maxTokens` that overlap by `windowOverlap`, the last one flush with the end; of more than
`maxWindows` an even spread is taken, first and last included. The text's probability is the `max`
(or `mean`, as the manifest says) of its rows' probabilities.
"""

import json
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from shield.errors import PackageInvalid
from shield.packages import ModelPackage, Preprocessing
from shield.packages.manifest import FP32_MODEL, INT8_MODEL, SAMPLES, TOKENIZER
from shield.text import normaliser

Precision = Literal["int8", "fp32"]
Row = tuple[int, ...]
"""Token ids of one window, special tokens included."""

MODEL_FILES: dict[Precision, str] = {"int8": INT8_MODEL, "fp32": FP32_MODEL}

SAMPLE_TOLERANCE: dict[Precision, float] = {"int8": 0.05, "fp32": 0.005}
"""How far a sample's probability may be from the package's: processors round differently."""

BATCH: dict[Precision, int] = {"int8": 1, "fp32": 16}
"""Rows per call of the model.

The int8 model chooses one activation scale per call: rows that share a call change each other's
answer by a few hundredths. Alone, a message always gets the same answer, in evaluation and in
serving.
"""


class Sample(NamedTuple):
    """A warm-up text and the probability that the model must give it."""

    text: str
    probability: float


class Predictor:
    """One model, loaded. Safe to share between threads: `score` holds no state."""

    def __init__(
        self, package: ModelPackage, precision: Precision = "int8", threads: int = 1
    ) -> None:
        """Load the model of a package; every byte is checked against the manifest as it is read.

        Args:
            package: An opened package. Whether its signature counts is the caller's question:
                `ModelPackage.verify`.
            precision: `int8` is what is served; `fp32` is the yardstick.
            threads: Threads for one call of `score`. A server uses 1 and calls it from many
                threads.

        Raises:
            PackageInvalid: A file cannot be read as what it should be, or a normaliser is not
                known.
            PackageCorrupt: A file's bytes are not those of the manifest.
        """
        self.package = package
        self.precision = precision
        self.threshold = package.manifest.threshold
        self._rules = package.manifest.preprocessing
        self._normalise = normaliser(self._rules.normaliser)
        self._tokenizer = _load_tokenizer(package)
        self._special = _special_tokens(self._tokenizer, package)
        self._session = _load_session(package, precision, threads)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of the scam class for each text, shape (n,), in [0, 1]."""
        by_text = self.rows(texts)
        rows = [row for of_text in by_text for row in of_text]
        scores = np.empty(len(rows), dtype=np.float64)
        # Neighbours in length share a batch, so that little is computed on padding.
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        batch = BATCH[self.precision]
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            scores[chosen] = self.score([rows[index] for index in chosen])
        ends = np.cumsum([len(of_text) for of_text in by_text])
        parts = np.split(scores, ends[:-1]) if by_text else []
        return np.array([self.aggregate(part) for part in parts], dtype=np.float64)

    def rows(self, texts: Sequence[str]) -> list[list[Row]]:
        """Return the rows of token ids of each text; every text has at least one."""
        encodings = self._tokenizer.encode_batch_fast(
            [self._normalise(text) for text in texts], add_special_tokens=False
        )
        return [self._windows(encoding.ids) for encoding in encodings]

    def score(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """Return the scam probability of each row, shape (n,). One call of the model.

        A model that has gone wrong gives NaN; it is returned as it is, for the caller to refuse.
        """
        if any(isinstance(row, str) for row in rows):
            raise TypeError(
                "score() takes rows of token ids, not texts. Give texts to probabilities()."
            )
        if not rows:
            return np.zeros(0, dtype=np.float64)
        longest = max(map(len, rows))
        ids = np.zeros((len(rows), longest), dtype=np.int64)
        mask = np.zeros((len(rows), longest), dtype=np.int64)
        for index, row in enumerate(rows):
            ids[index, : len(row)] = row
            mask[index, : len(row)] = 1
        logits: NDArray[np.float32] = self._session.run(
            ["logits"], {"input_ids": ids, "attention_mask": mask}
        )[0]
        margin = logits[:, 1].astype(np.float64) - logits[:, 0]
        return np.asarray(0.5 * (1.0 + np.tanh(0.5 * margin)), dtype=np.float64)

    def aggregate(self, scores: NDArray[np.float64]) -> float:
        """Return a text's probability from its rows' probabilities."""
        return float(scores.max() if self._rules.aggregation == "max" else scores.mean())

    def verdict(self, probability: float) -> str:
        """Return the label for a probability, by the package's threshold."""
        negative, positive = self.package.manifest.labels
        return positive if probability >= self.threshold else negative

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
            raise _invalid(self.package, SAMPLES, error) from error
        if not samples:
            raise _invalid(self.package, SAMPLES, ValueError("there is no sample in it"))
        return samples

    def check_samples(self) -> float:
        """Score the warm-up texts and return the largest difference from what the package expects.

        Raises:
            PackageInvalid: One differs by more than `SAMPLE_TOLERANCE`: this machine or this
                library does not compute what the model's makers measured.
        """
        samples = self.samples()
        expected = np.array([sample.probability for sample in samples])
        differences = np.abs(self.probabilities([sample.text for sample in samples]) - expected)
        worst = float(differences.max()) if np.isfinite(differences).all() else float("nan")
        if not worst <= SAMPLE_TOLERANCE[self.precision]:
            raise PackageInvalid(
                f"The {self.precision} model of {self.package.path} is off by {worst:.4f} on "
                "its own "
                f"samples (allowed: {SAMPLE_TOLERANCE[self.precision]}). Refusing to serve it. "
                "Serve "
                "the other precision, or export the model again with this release."
            )
        return worst

    def _windows(self, ids: list[int]) -> list[Row]:
        before, after = self._special
        return [(*before, *ids[start:stop], *after) for start, stop in spans(len(ids), self._rules)]


def spans(tokens: int, rules: Preprocessing) -> list[tuple[int, int]]:
    """Return the windows of a text of `tokens` content tokens as (start, stop), in order.

    Two tokens of `maxTokens` are kept for the special tokens around each window.
    """
    size = rules.max_tokens - 2
    if tokens <= size:
        return [(0, tokens)]
    step = size - rules.window_overlap
    starts = [*range(0, tokens - size, step), tokens - size]
    if len(starts) > rules.max_windows:
        chosen = np.linspace(0, len(starts) - 1, rules.max_windows).round().astype(int)
        starts = [starts[index] for index in chosen]
    return [(start, start + size) for start in starts]


def _load_tokenizer(package: ModelPackage) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_buffer(package.read(TOKENIZER))
    except (ValueError, TypeError) as error:
        raise _invalid(package, TOKENIZER, error) from error
    # Rows are cut and padded here, by the manifest's rule, whatever the tokenizer was saved with.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _special_tokens(tokenizer: Tokenizer, package: ModelPackage) -> tuple[Row, Row]:
    """Return the token ids that go before and after a window, e.g. ([CLS],) and ([SEP],)."""
    mark = tokenizer.encode("a", add_special_tokens=False).ids
    whole = tokenizer.encode("a").ids
    if len(mark) != 1 or mark[0] not in whole or len(whole) != 3:
        raise _invalid(
            package, TOKENIZER, ValueError("one special token before and one after are needed")
        )
    place = whole.index(mark[0])
    return tuple(whole[:place]), tuple(whole[place + 1 :])


def _load_session(package: ModelPackage, precision: Precision, threads: int) -> Any:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # A spinning thread takes its core from the other workers and from the event loop.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    name = MODEL_FILES[precision]
    raw = package.read(name)
    try:
        # From bytes, not from the path: what was checked is what is loaded, and no file can be
        # named.
        session = ort.InferenceSession(raw, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime has no error base of its own
        raise _invalid(package, name, error) from error
    inputs = {tensor.name for tensor in session.get_inputs()}
    if inputs != {"input_ids", "attention_mask"} or session.get_outputs()[0].name != "logits":
        raise _invalid(
            package, name, ValueError(f"it takes {sorted(inputs)}, not input_ids, attention_mask")
        )
    return session


def _invalid(package: ModelPackage, name: str, error: Exception) -> PackageInvalid:
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return PackageInvalid(
        f"{name} of the package {package.path} cannot be used: {reason}. Export and pack it again."
    )
