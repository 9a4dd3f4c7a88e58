"""The mean of the weights over the last steps of a training.

Single steps wander about the place that a training has come to; their mean lies nearer to its
middle, where messages that were never learned are judged better (Izmailov et al., *Averaging
Weights Leads to Wider Optima and Better Generalization*, 2018).
"""

from typing import Any

import torch
from torch.optim.swa_utils import get_swa_multi_avg_fn

AVERAGED = 1 / 3
"""Share of the steps, the last ones, whose weights are averaged."""


class Average:
    """The running mean of parameters."""

    def __init__(self, parameters: list[torch.nn.Parameter], steps: int) -> None:
        """Average the last third of `steps` steps."""
        self.parameters, self.first = parameters, steps - max(1, round(AVERAGED * steps))
        self.mean: list[torch.Tensor] = []
        self.counted = 0
        self._update: Any = get_swa_multi_avg_fn()  # type: ignore[no-untyped-call]

    def add(self, step: int) -> None:
        """Count the weights in as they are after `step` steps, if it is one of the last."""
        if step <= self.first:
            return
        now = [parameter.detach() for parameter in self.parameters]
        if self.counted:
            self._update(self.mean, now, self.counted)
        else:
            self.mean = [weights.clone() for weights in now]
        self.counted += 1

    def take(self) -> None:
        """Give the parameters their mean."""
        with torch.no_grad():
            for parameter, mean in zip(self.parameters, self.mean, strict=True):
                parameter.copy_(mean)

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of it."""
        return {"mean": self.mean, "counted": self.counted}

    def load(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint."""
        self.counted = state["counted"]
        self.mean = [
            mean.to(parameter.device)
            for parameter, mean in zip(self.parameters, state["mean"], strict=False)
        ]
