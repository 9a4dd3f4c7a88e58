"""Every choice of a training."""

from dataclasses import asdict, dataclass
from typing import Any

from components.shared.environment import Precision

ENOUGH = 6000
"""Messages, each pass counted, that a retraining of a champion needs to settle."""


@dataclass(frozen=True)
class Recipe:
    """What a training is repeated by. Its digest, with those of its inputs, names the result."""

    seed: int = 0
    epochs: int = 3
    """Most passes over the data; see `passes`."""
    learning_rate: float = 1e-4
    weight_decay: float = 0.01
    token_budget: int = 1024
    max_tokens: int = 128
    max_windows: int = 3
    """Windows of a long text that are judged, its first and last among them; training sees one of
    them, drawn by the seed. More would make a verdict slow, and noise likelier to
    be flagged by the worst of many windows."""
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
        return asdict(self)
