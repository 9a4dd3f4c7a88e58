"""What an experiment hands back, and how long it may take."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Aim:
    """A goal and what came out."""

    name: str
    goal: str
    measured: str
    met: bool
    note: str = ""
    """Where missed: what was tried, and why it fell short."""


@dataclass
class Outcome:
    """Figures for the JSON file, and the aims they answer."""

    figures: dict[str, Any] = field(default_factory=dict)
    aims: list[Aim] = field(default_factory=list)


@dataclass(frozen=True)
class Scale:
    """How much is run. `short` proves in CI that all of it runs; its figures are not kept."""

    short: bool
    seeds: tuple[int, ...] = (0, 1, 2)

    def pick(self, full: int, short: int) -> int:
        """Return the size for this scale."""
        return short if self.short else full


def spread(values: Sequence[float], digits: int = 4) -> dict[str, Any]:
    """Return mean, lowest, highest and all values."""
    return {
        "mean": round(float(np.mean(values)), digits),
        "low": round(float(np.min(values)), digits),
        "high": round(float(np.max(values)), digits),
        "values": [round(float(value), digits) for value in values],
    }
