"""Shadow mode: a second version scores the same messages, off the request path, and never answers.

It computes only when no request waits, and drops what it cannot keep up with. Disagreements are
counted and listed by request id, so that whoever knows the message (the API) can offer it for
review. No message text is kept here.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from serving.server.engine import Engine
from serving.server.jobs import Scored
from serving.server.metrics import Metrics
from serving.server.model import ServedModel

_KEPT = 1000


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two versions, one message, two verdicts."""

    at: datetime
    request_id: str | None
    index: int
    """Place of the text in its request."""
    answered: tuple[str, float]
    """Label and probability that the client got."""
    shadow: tuple[str, float]

    def to_json(self) -> dict[str, Any]:
        """Return the wire form."""
        return {
            "at": self.at.isoformat(),
            "requestId": self.request_id,
            "index": self.index,
            "answered": {"label": self.answered[0], "probability": self.answered[1]},
            "shadow": {"label": self.shadow[0], "probability": self.shadow[1]},
        }


@dataclass
class Shadow:
    """Follows what is answered and compares."""

    engine: Engine
    metrics: Metrics
    now: Callable[[], datetime]
    disagreements: deque[Disagreement] = field(default_factory=lambda: deque(maxlen=_KEPT))
    counts: dict[str, int] = field(default_factory=dict)

    def follow(
        self,
        model: ServedModel,
        answered_by: ServedModel,
        texts: Sequence[str],
        scores: Sequence[float],
        request_id: str | None,
    ) -> None:
        """Score `texts` with the shadow version when there is time, and compare."""
        pending = self.engine.submit_background(model, texts)
        if pending is None:
            self._count("dropped", len(texts))
            return

        def compare(done: "asyncio.Future[Scored]") -> None:
            if done.exception() is not None:
                self._count("failed", len(texts))
                return
            given = done.result().probabilities
            for index, (answered, shadow) in enumerate(zip(scores, given, strict=True)):
                verdicts = (
                    answered_by.predictor.verdict(answered),
                    model.predictor.verdict(shadow),
                )
                self._count("agreed" if verdicts[0] == verdicts[1] else "disagreed", 1)
                if verdicts[0] != verdicts[1]:
                    self.disagreements.append(
                        Disagreement(
                            self.now(),
                            request_id,
                            index,
                            (verdicts[0], answered),
                            (verdicts[1], shadow),
                        )
                    )

        pending.add_done_callback(compare)

    def report(self, model: ServedModel | None) -> dict[str, Any]:
        """Return the counts and the latest disagreements, newest first."""
        return {
            "version": None if model is None else model.version,
            "counts": {
                outcome: self.counts.get(outcome, 0)
                for outcome in ("agreed", "disagreed", "dropped", "failed")
            },
            "disagreements": [item.to_json() for item in reversed(self.disagreements)],
        }

    def _count(self, outcome: str, amount: int) -> None:
        self.counts[outcome] = self.counts.get(outcome, 0) + amount
        self.metrics.shadow.labels(outcome).inc(amount)
