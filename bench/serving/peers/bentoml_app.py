# mypy: ignore-errors
# ruff: noqa: D101, D102
"""BentoML: one worker process per core."""

import os

import bentoml
from scorer import Scorer


@bentoml.service(
    workers=int(os.environ.get("BENCH_THREADS", "2")), logging={"access": {"enabled": False}}
)
class Sms:
    def __init__(self) -> None:
        self.scorer = Scorer()

    @bentoml.api
    def predict(self, text: str) -> dict[str, float]:
        return {"probability": self.scorer.probability(text)}
