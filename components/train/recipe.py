"""Every choice of a training."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Recipe:
    """What a training is repeated by. Its digest, with those of its inputs, names the result."""

    seed: int = 0
    epochs: int = 3
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

    def as_json(self) -> dict[str, Any]:
        """Return the recipe as the manifest keeps it."""
        return asdict(self)
