"""One version, loaded and warm."""

import time
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from serving.server.breaker import Breaker
from shield.packages import ModelPackage
from shield.predictor import Precision, Predictor, Reading, Row

_REMEMBERED_CHARS = 320
"""Two SMS. Longer texts are tokenised again: they are rarely repeated, and memory is bounded."""

WARM_UP_CALLS = 50
"""Calls of the model after loading whose processor time is told to nobody: caches, page tables and
memory arenas are still being filled."""


class AnswerCache:
    """Encoder scores by exact token ids, least recently used out first.

    Beside them it remembers what a text was read as, so that a repeated text is not even tokenised.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._answers: OrderedDict[bytes, float] = OrderedDict()
        self._texts: OrderedDict[str, tuple[tuple[bytes, ...], float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: bytes) -> float | None:
        """Return the answer and mark it as used."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: bytes, answer: float) -> None:
        """Keep an answer; forget the one unused for longest when full."""
        if self._capacity == 0:
            return
        self._answers[key] = answer
        if len(self._answers) > self._capacity:
            self._answers.popitem(last=False)

    def remember(
        self, texts: Sequence[str], keys: Sequence[bytes], readings: Sequence[Reading]
    ) -> None:
        """Keep which rows each text became, so many of `keys`, in order, and its linear part."""
        start = 0
        for text, reading in zip(texts, readings, strict=True):
            stop = start + len(reading.rows)
            if self._capacity and len(text) <= _REMEMBERED_CHARS:
                self._texts[text] = (tuple(keys[start:stop]), reading.linear)
                if len(self._texts) > self._capacity:
                    self._texts.popitem(last=False)
            start = stop

    def answers(self, text: str) -> tuple[list[float], float] | None:
        """Return the scores of all rows of a text and its linear part, if all of it is known."""
        known = self._texts.get(text)
        if known is None:
            return None
        self._texts.move_to_end(text)
        keys, linear = known
        scores = [answer for key in keys if (answer := self.get(key)) is not None]
        return (scores, linear) if len(scores) == len(keys) else None


def row_key(row: Row) -> bytes:
    """Return the exact token ids as bytes: a compact key, equal if and only if the rows are."""
    return array("I", row).tobytes()


@dataclass(slots=True, eq=False)
class ServedModel:
    """A version as the server holds it."""

    name: str
    """Model type, e.g. `sms`."""
    version: str
    arm: str
    predictor: Predictor
    cache: AnswerCache
    breaker: Breaker
    warm_seconds: float = 0.0
    """How long loading and warming took."""
    in_flight: int = 0
    """Requests that have been admitted and not answered. Changed on the event loop only."""
    seconds_per_token: float = field(default=0.0)
    """Moving average of a thread's time per token, from warm-up on."""
    calls: int = 0
    """Calls of the model that have ended."""

    @property
    def warm(self) -> bool:
        """Tell whether it has computed often enough for its processor time to mean something."""
        return self.calls >= WARM_UP_CALLS

    def learn_speed(self, seconds_per_token: float) -> None:
        """Take one call into the average.

        A call counts as at most five times as slow as those before it: one during which the machine
        stood still must not have everybody refused for a while.
        """
        measured = min(seconds_per_token, 5 * self.seconds_per_token)
        self.seconds_per_token += 0.05 * (measured - self.seconds_per_token)

    @property
    def digest(self) -> str:
        """Return the identity of the version."""
        return self.predictor.package.digest


def load_model(
    package: ModelPackage,
    *,
    version: str,
    arm: str,
    precision: Precision,
    cache_rows: int,
    breaker: Breaker,
) -> ServedModel:
    """Load a verified package and warm it up: its samples must get the probabilities it promises.

    Raises:
        PackageCorrupt: A file's bytes are not those of the manifest.
        PackageInvalid: A file cannot be used, or a sample gets another probability.
    """
    started = time.perf_counter()
    predictor = Predictor(package, precision, threads=1)
    predictor.check_samples()
    samples = [sample.text for sample in predictor.samples()]
    measured = time.perf_counter()
    predictor.probabilities(samples)
    tokens = sum(len(row) for reading in predictor.read(samples) for row in reading.rows)
    ended = time.perf_counter()
    return ServedModel(
        name=package.manifest.model_type.value,
        version=version,
        arm=arm,
        predictor=predictor,
        cache=AnswerCache(cache_rows),
        breaker=breaker,
        warm_seconds=ended - started,
        seconds_per_token=(ended - measured) / tokens,
    )
