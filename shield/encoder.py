"""The exported encoder of a package: text to rows of token ids, and rows to log odds.

Only numpy, onnxruntime and tokenizers, so that nobody who predicts needs torch.

A text becomes *rows* of token ids. A short text is one row. A longer one is cut into windows of
`maxTokens` that overlap by `windowOverlap`, the last one flush with the end; of more than
`maxWindows` an even spread is taken, first and last included. The encoder gives each row its log
odds; the text's are the `max` (or `mean`, as the manifest says) of its rows'.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray
from tokenizers import Tokenizer

from shield.errors import PackageInvalid
from shield.logistic import logit, probability_of
from shield.packages import ModelPackage, Preprocessing
from shield.packages.manifest import TOKENIZER
from shield.packages.served import MODEL_FILES, Precision
from shield.text import normaliser

Row = tuple[int, ...]
"""Token ids of one window, special tokens included."""

BATCH: dict[Precision, int] = {"int8": 1, "fp32": 16}
"""Rows per call of the model.

The int8 model chooses one activation scale per call: rows that share a call change each other's
answer by a few hundredths. Alone, a message always gets the same answer, in evaluation and in
serving.
"""


class Encoder:
    """One exported encoder, loaded. Safe to share between threads: it holds no state."""

    def __init__(self, package: ModelPackage, precision: Precision, threads: int) -> None:
        """Load the tokenizer and the model of a package.

        Args:
            package: One that has an encoder; each byte is checked against its manifest.
            precision: Which of the two exported models.
            threads: Threads for one call of `score`.

        Raises:
            PackageInvalid: A file cannot be read as what it should be.
            PackageCorrupt: A file's bytes are not those of the manifest.
        """
        self._rules = package.manifest.preprocessing
        self._normalise = normaliser(self._rules.normaliser)
        self._batch = BATCH[precision]
        self._tokenizer = _load_tokenizer(package)
        self._special = _special_tokens(self._tokenizer, package)
        self._session = _load_session(package, precision, threads)

    def rows(self, texts: Sequence[str]) -> list[list[Row]]:
        """Return the rows of each text, at least one."""
        encodings = self._tokenizer.encode_batch_fast(
            [self._normalise(text) for text in texts], add_special_tokens=False
        )
        before, after = self._special
        return [
            [
                (*before, *encoding.ids[start:stop], *after)
                for start, stop in spans(len(encoding.ids), self._rules)
            ]
            for encoding in encodings
        ]

    def score_each(self, rows_of: Sequence[Sequence[Row]]) -> list[NDArray[np.float64]]:
        """Return the log odds of the rows of each text, in batches of the precision's size."""
        rows = [row for each in rows_of for row in each]
        scores = np.empty(len(rows), dtype=np.float64)
        # Neighbours in length share a batch, so that little is computed on padding.
        order = sorted(range(len(rows)), key=lambda index: len(rows[index]))
        for start in range(0, len(order), self._batch):
            chosen = order[start : start + self._batch]
            scores[chosen] = self.score([rows[index] for index in chosen])
        ends = np.cumsum([len(each) for each in rows_of])
        return list(np.split(scores, ends[:-1])) if rows_of else []

    def score(self, rows: Sequence[Row]) -> NDArray[np.float64]:
        """Return the log odds of each row, shape (n,). One call of the model.

        A model that has gone wrong gives NaN; it is returned as it is, for the caller to refuse.
        """
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
        return np.asarray(logits[:, 1].astype(np.float64) - logits[:, 0], dtype=np.float64)

    def aggregate(self, scores: NDArray[np.float64]) -> float:
        """Return the log odds of a text from those of its rows, of which there is at least one."""
        if self._rules.aggregation == "max" or scores.size == 1:
            return float(scores.max())
        mean = float(probability_of(scores).mean())
        return float(logit(mean))


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
        raise invalid(package, TOKENIZER, error) from error
    # Rows are cut and padded here, by the manifest's rule, whatever the tokenizer was saved with.
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _special_tokens(tokenizer: Tokenizer, package: ModelPackage) -> tuple[Row, Row]:
    """Return the token ids that go before and after a window, e.g. ([CLS],) and ([SEP],)."""
    mark = tokenizer.encode("a", add_special_tokens=False).ids
    whole = tokenizer.encode("a").ids
    if len(mark) != 1 or mark[0] not in whole or len(whole) != 3:
        raise invalid(
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
        raise invalid(package, name, error) from error
    inputs = {tensor.name for tensor in session.get_inputs()}
    if inputs != {"input_ids", "attention_mask"} or session.get_outputs()[0].name != "logits":
        raise invalid(
            package, name, ValueError(f"it takes {sorted(inputs)}, not input_ids, attention_mask")
        )
    return session


def invalid(package: ModelPackage, name: str, error: Exception) -> PackageInvalid:
    """Return the error that says why a file of a package cannot be used."""
    reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
    return PackageInvalid(
        f"{name} of the package {package.path} cannot be used: {reason}. Export and pack it again."
    )
