"""Every choice of a training."""

from typing import Any

from pydantic import ConfigDict

from components.shared.environment import Precision
from shield.retraining import TrainingParameters

ENOUGH = 6000
"""Messages, each pass counted, that a retraining of a champion needs to settle."""


class Recipe(TrainingParameters):
    """What a training is repeated by. Its digest, with those of its inputs, names the result.

    The parameters of a retraining, and choices that nobody is asked about.
    """

    model_config = ConfigDict(frozen=True)

    weight_decay: float = 0.01
    max_windows: int = 64
    """Windows of a long text that are judged: the 20,000 characters that the API takes are read to
    their end, in most languages. Training sees one of them, drawn by the seed."""
    freeze_embeddings: bool = True
    """Words that the corrections do not mention stay where they are, and a step is a third
    cheaper."""
    threads: int = 2
    precision: Precision = "auto"

    def passes(self, messages: int, *, from_champion: bool) -> int:
        """Return how often so many messages are gone through.

        A champion knows the replay already: once it has seen `ENOUGH`, another pass makes a
        retraining longer and no better. It goes through a large set twice, never once.
        """
        if not from_champion:
            return self.epochs
        return min(self.epochs, max(2, -(-ENOUGH // max(1, messages))))

    def as_json(self) -> dict[str, Any]:
        """Return the recipe as the manifest keeps it."""
        return self.model_dump()
