"""One request on its way through the engine."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from serving.server.model import ServedModel
from shield.predictor import Reading


class Scored(NamedTuple):
    """What a request is answered with."""

    probabilities: list[float]
    """In the order of the texts."""
    processor_ms: float | None
    """Processor time of tokenising and computing, without any waiting: a busy machine does not
    lengthen it. `None` if a part came from the cache, or the model is not warm yet."""


@dataclass(slots=True, eq=False)
class Job:
    """The rows of a request's texts, and what is known of their scores. Lives on the event loop."""

    model: ServedModel
    future: asyncio.Future[Scored]
    deadline: float
    wanted: Callable[[], bool]
    """Tells whether the client is still there."""
    lengths: list[int] = field(default_factory=list)
    """Rows per text."""
    linear: list[float] = field(default_factory=list)
    """What the linear half says of each text."""
    scores: list[float] = field(default_factory=list)
    pending: int = 0
    """Rows without a score."""
    processor_seconds: float = 0.0
    """What tokenising and computing have cost so far."""
    measured: bool = True
    """Whether the whole of the answer was computed for it, by a model that is warm."""

    @property
    def processor_ms(self) -> float | None:
        """Return what the answer has cost in processor time, waiting apart; `None` if unknown."""
        return self.processor_seconds * 1000 if self.measured else None

    def expect(self, readings: Sequence[Reading]) -> None:
        """Take note of how many rows each text has, and of its linear part."""
        self.lengths = [len(reading.rows) for reading in readings]
        self.linear = [reading.linear for reading in readings]
        self.pending = sum(self.lengths)
        self.scores = [math.nan] * self.pending

    def recall(self, known: Sequence[tuple[Sequence[float], float]]) -> None:
        """Answer from scores and linear parts that are all known."""
        self.measured = False
        self.lengths = [len(scores) for scores, _ in known]
        self.linear = [linear for _, linear in known]
        self.scores = [score for scores, _ in known for score in scores]
        self.finish()

    def receive(
        self, indices: Sequence[int], score: float | Exception, processor_seconds: float
    ) -> None:
        """Take the score of a row, which may stand in several places; finish with the last one."""
        if self.future.done():
            return
        self.processor_seconds += processor_seconds
        self.measured = self.measured and self.model.warm
        if isinstance(score, Exception):
            self.future.set_exception(score)
            return
        for index in indices:
            self.scores[index] = score
        self.pending -= len(indices)
        if not self.pending:
            self.finish()

    def finish(self) -> None:
        """Answer: each text's probability from its rows' scores."""
        if self.future.done():
            return
        start, answers = 0, []
        for length, linear in zip(self.lengths, self.linear, strict=True):
            part = np.array(self.scores[start : start + length])
            answers.append(self.model.predictor.settle(part, linear))
            start += length
        self.future.set_result(Scored(answers, self.processor_ms))
