"""One version, loaded and warm."""

import time
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

from serving.server.breaker import Breaker
from shield.encoder import Row
from shield.packages import ModelPackage
from shield.packages.served import Precision
from shield.predictor import Predictor, Reading

_REMEMBERED_CHARS = 320
"""Longest text in the cache of tokenisations, about two SMS: longer ones are rarely repeated."""

WARM_UP_CALLS = 50
"""Calls after loading whose processor time is not reported, since caches, page tables and memory
arenas are still being filled."""


class AnswerCache:
    """LRU cache of encoder scores by exact token ids.

    It also caches the rows of short texts, so that a repeated text is not tokenised again.
    """

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._answers: OrderedDict[bytes, float] = OrderedDict()
        self._texts: OrderedDict[str, tuple[tuple[bytes, ...], float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._answers)

    def get(self, key: bytes) -> float | None:
        """Return the score and mark it as used."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: bytes, answer: float) -> None:
        """Store a score; evict the least recently used one if full."""
        if self._capacity == 0:
            return
        self._answers[key] = answer
        if len(self._answers) > self._capacity:
            self._answers.popitem(last=False)

    def remember(
        self, texts: Sequence[str], keys: Sequence[bytes], readings: Sequence[Reading]
    ) -> None:
        """Store the rows (in order, from `keys`) and the linear part of each text."""
        start = 0
        for text, reading in zip(texts, readings, strict=True):
            stop = start + len(reading.rows)
            if self._capacity and len(text) <= _REMEMBERED_CHARS:
                self._texts[text] = (tuple(keys[start:stop]), reading.linear)
                if len(self._texts) > self._capacity:
                    self._texts.popitem(last=False)
            start = stop

    def answers(self, text: str) -> tuple[list[float], float] | None:
        """Return the row scores and the linear part of a text, if all are cached."""
        known = self._texts.get(text)
        if known is None:
            return None
        self._texts.move_to_end(text)
        keys, linear = known
        scores = [answer for key in keys if (answer := self.get(key)) is not None]
        return (scores, linear) if len(scores) == len(keys) else None


def row_key(row: Row) -> bytes:
    """Return the token ids of a row as bytes, a compact cache key."""
    return array("I", row).tobytes()


@dataclass(slots=True, eq=False)
class ServedModel:
    """A loaded version."""

    name: str
    """Model type, e.g. `sms`."""
    version: str
    arm: str
    predictor: Predictor
    cache: AnswerCache
    breaker: Breaker
    warm_seconds: float = 0.0
    """Duration of loading and warming up."""
    in_flight: int = 0
    """Number of admitted, unanswered requests. Changed on the event loop only."""
    seconds_per_token: float = field(default=0.0)
    """Moving average of a thread's time per token, since warm-up."""
    calls: int = 0
    """Number of finished calls of the model."""

    @property
    def warm(self) -> bool:
        """Return whether enough calls were made for the processor time to be meaningful."""
        return self.calls >= WARM_UP_CALLS

    def learn_speed(self, seconds_per_token: float) -> None:
        """Update the average with one call.

        A call counts at most five times the average, so that one stall of the machine does not
        cause refusals.
        """
        measured = min(seconds_per_token, 5 * self.seconds_per_token)
        self.seconds_per_token += 0.05 * (measured - self.seconds_per_token)

    @property
    def digest(self) -> str:
        """Return the digest, the identity of the version."""
        return self.predictor.package.digest


def load_model(
    package: ModelPackage,
    *,
    version: str,
    arm: str,
    precision: Precision,
    cache_rows: int,
    breaker: Breaker,
    cascade: bool = True,
) -> ServedModel:
    """Load a verified package and warm it up; check the probabilities of its samples.

    Raises:
        PackageCorrupt: A file differs from the manifest.
        PackageInvalid: A file is unusable, or a sample gets another probability.
    """
    started = time.perf_counter()
    predictor = Predictor(package, precision, threads=1, cascade=cascade)
    predictor.check_samples()
    samples = [sample.text for sample in predictor.samples()]
    measured = time.perf_counter()
    predictor.halves(samples)
    readings = predictor.read(samples, whole=True)
    tokens = sum(len(row) for reading in readings for row in reading.rows)
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
