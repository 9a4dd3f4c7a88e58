"""State of one request in the engine."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from serving.server.model import ServedModel
from shield.predictor import Reading


class Scored(NamedTuple):
    """The result of a request."""

    probabilities: list[float]
    """Probabilities, in the order of the texts."""
    processor_ms: float | None
    """Processor time of tokenising and computing, in milliseconds, without waiting. `None` if a
    part came from the cache, or the model is not warm yet."""


@dataclass(slots=True, eq=False)
class Job:
    """The rows of a request's texts with their scores so far. Used on the event loop only."""

    model: ServedModel
    future: asyncio.Future[Scored]
    deadline: float
    wanted: Callable[[], bool]
    """Returns whether the client is still connected."""
    lengths: list[int] = field(default_factory=list)
    """Rows per text."""
    linear: list[float] = field(default_factory=list)
    """Output of the linear model for each text."""
    scores: list[float] = field(default_factory=list)
    pending: int = 0
    """Number of rows without a score."""
    processor_seconds: float = 0.0
    """Processor time so far."""
    measured: bool = True
    """Whether all scores were computed for this request, by a warm model."""

    @property
    def processor_ms(self) -> float | None:
        """Return the processor time of the result in milliseconds; `None` if unknown."""
        return self.processor_seconds * 1000 if self.measured else None

    def expect(self, readings: Sequence[Reading]) -> None:
        """Store the number of rows of each text, and its linear part."""
        self.lengths = [len(reading.rows) for reading in readings]
        self.linear = [reading.linear for reading in readings]
        self.pending = sum(self.lengths)
        self.scores = [math.nan] * self.pending

    def recall(self, known: Sequence[tuple[Sequence[float], float]]) -> None:
        """Answer from cached scores and linear parts."""
        self.measured = False
        self.lengths = [len(scores) for scores, _ in known]
        self.linear = [linear for _, linear in known]
        self.scores = [score for scores, _ in known for score in scores]
        self.finish()

    def receive(
        self, indices: Sequence[int], score: float | Exception, processor_seconds: float
    ) -> None:
        """Store the score of a row at all its positions; finish after the last row."""
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
        """Compute each text's probability from its rows' scores, and answer."""
        if self.future.done():
            return
        start, answers = 0, []
        for length, linear in zip(self.lengths, self.linear, strict=True):
            part = np.array(self.scores[start : start + length])
            answers.append(self.model.predictor.settle(part, linear))
            start += length
        self.future.set_result(Scored(answers, self.processor_ms))
