"""The checkpoint of a training: a kill loses seconds, and an epoch that did harm is taken back."""

import json
import logging
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from components.train.average import Average
from components.train.spread import here, wait_for_first

log = logging.getLogger(__name__)

CHECKPOINT, GOOD = "checkpoint.pt", "good.pt"


@dataclass
class Curves:
    """What happened, per epoch."""

    loss: list[float] = field(default_factory=list)
    valid_loss: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    kept: int = 0
    """Epochs whose learning was kept; fewer than were run after an early stop."""


class State:
    """The checkpoint of one training: written whole or not at all."""

    def __init__(
        self, model: Any, optimizer: torch.optim.Optimizer, average: Average, path: Path
    ) -> None:
        self.model, self.optimizer, self.average, self.path = model, optimizer, average, path

    def load(self) -> tuple[int, int, Curves, float, int]:
        """Return (place in the plan, steps done, curves, sum of losses, losses summed)."""
        if not self.path.is_file():
            return 0, 0, Curves(), 0.0, 0
        kept: dict[str, Any] = torch.load(self.path, weights_only=True)
        if "average" not in kept:  # of an earlier release, which ended at the last weights
            return 0, 0, Curves(), 0.0, 0
        self.model.load_state_dict(kept["model"])
        self.optimizer.load_state_dict(kept["optimizer"])
        self.average.load(kept["average"])
        torch.set_rng_state(kept["random"])
        if kept["cuda_random"] and torch.cuda.is_available():
            torch.cuda.set_rng_state_all(kept["cuda_random"])
        log.info(json.dumps({"event": "resumed", "step": kept["step"]}))
        curves = Curves(**kept["curves"])
        return kept["place"], kept["step"], curves, kept["total"], kept["seen"]

    def keep_good(self) -> None:
        """Keep the weights as they are after an epoch that did no harm."""
        self._write({"model": self.model.state_dict()}, self.path.with_name(GOOD))

    def take_good(self) -> None:
        """Return to the weights of the last epoch that did no harm."""
        wait_for_first()
        kept = torch.load(self.path.with_name(GOOD), weights_only=True)
        self.model.load_state_dict(kept["model"])
        log.info(json.dumps({"event": "stopped early"}))

    def save(self, place: int, step: int, curves: Curves, total: float, seen: int) -> None:
        """Keep everything that the next step follows from."""
        kept = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": self.average.state(),
            "random": torch.get_rng_state(),
            "cuda_random": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
            "place": place,
            "step": step,
            "curves": asdict(curves),
            "total": total,
            "seen": seen,
        }
        self._write(kept, self.path)

    @staticmethod
    def _write(kept: dict[str, Any], path: Path) -> None:
        if here().rank:
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_suffix(".fresh")
        torch.save(kept, fresh)
        fresh.replace(path)
