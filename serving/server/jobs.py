"""One request on its way through the engine."""

import asyncio
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from serving.server.model import ServedModel
from shield.predictor import Row


@dataclass(slots=True, eq=False)
class Job:
    """The rows of a request's texts, and what is known of their scores. Lives on the event loop."""

    model: ServedModel
    future: asyncio.Future[list[float]]
    """The probabilities, in the order of the texts."""
    deadline: float
    wanted: Callable[[], bool]
    """Tells whether the client is still there."""
    background: bool = False
    lengths: list[int] = field(default_factory=list)
    """Rows per text."""
    scores: list[float] = field(default_factory=list)
    pending: int = 0
    """Rows without a score."""

    def expect(self, by_text: Sequence[Sequence[Row]]) -> None:
        """Take note of how many rows each text has."""
        self.lengths = list(map(len, by_text))
        self.pending = sum(self.lengths)
        self.scores = [math.nan] * self.pending

    def recall(self, by_text: Sequence[Sequence[float]]) -> None:
        """Answer from scores that are all known."""
        self.lengths = list(map(len, by_text))
        self.scores = [score for scores in by_text for score in scores]
        self.finish()

    def receive(self, indices: Sequence[int], score: float | Exception) -> None:
        """Take the score of a row, which may stand in several places; finish with the last one."""
        if self.future.done():
            return
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
        if len(self.lengths) == len(self.scores):
            self.future.set_result(self.scores)
            return
        start, answers = 0, []
        for length in self.lengths:
            part = np.array(self.scores[start : start + length])
            answers.append(self.model.predictor.aggregate(part))
            start += length
        self.future.set_result(answers)
