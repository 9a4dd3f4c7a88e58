"""The training loop: weighted loss, AdamW, linear warm-up and decay, the mean of the last weights.

Resumable at any step.
"""

import json
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from components.shared.encoder import padded
from components.train.average import Average
from components.train.batching import batches
from components.train.checkpoint import CHECKPOINT, Curves, State
from components.train.precision import in_bfloat16
from components.train.recipe import Recipe
from components.train.spread import agree_on, share_of, sum_gradients
from shield.errors import Invalid

log = logging.getLogger(__name__)

WORSE, WORSE_AT_LEAST = 1.25, 0.005
"""An epoch is one too many when its loss on messages never learned exceeds the best so far by a
quarter and by 0.005. A tactic that is new costs some of what is old; that is no overfitting. At a
tenth, trainings that ended well were cut before their rate had come down, and flagged more."""
WARM_UP = 0.1
"""Share of steps over which the rate rises. Without it a champion forgets in its first steps."""


@dataclass(frozen=True)
class Examples:
    """Messages as the model sees them."""

    rows: list[list[int]]
    labels: NDArray[np.int64]
    """Shape (n,), 1 = scam."""
    weights: NDArray[np.float32]
    """Shape (n,), what each counts in the loss."""


def balanced(labels: NDArray[np.int64], weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scale weights so that both classes weigh the same in sum, and one message 1 on average.

    Raises:
        Invalid: One class is missing.
    """
    scaled = weights.astype(np.float64).copy()
    for label in (0, 1):
        total = float(scaled[labels == label].sum())
        if total <= 0:
            raise Invalid(
                f"No training message has the label {label}: a model cannot learn one class alone. "
                "Check the replay of the base corpus in the data card."
            )
        scaled[labels == label] *= len(labels) / 2 / total
    return scaled.astype(np.float32)


def fit(
    model: Any,
    examples: Examples,
    valid: Examples,
    recipe: Recipe,
    pad: int,
    checkpoints: Path,
    *,
    device: torch.device,
    on_step: Callable[[int, int, float], None] | None = None,
    checkpoint_seconds: float = 15.0,
    clock: Callable[[], float] = time.monotonic,
) -> Curves:
    """Train in place; after a kill, go on from the last checkpoint to the same end.

    What is left in `model` is the mean of the weights over the last third of the steps.
    Stops early: after an epoch that made `valid` worse the weights of the last good one are taken.

    Args:
        model: Classifier with two labels.
        examples: What is learned.
        valid: What the loss of each epoch is measured on, never learned.
        recipe: Every choice.
        pad: Token id of padding.
        checkpoints: Directory of this training alone; named by the digest of recipe and inputs.
        device: Where.
        on_step: Called with (step, steps, loss).
        checkpoint_seconds: Time between two checkpoints. When one is written does not change what
            is learned.
        clock: Monotonic seconds.

    Raises:
        Invalid: The loss is no longer a number, or a class is missing.
    """
    if recipe.freeze_embeddings:
        for parameter in model.get_input_embeddings().parameters():
            parameter.requires_grad_(False)
    lengths = [len(row) for row in examples.rows]
    plan = [
        batch
        for epoch in range(recipe.epochs)
        for batch in [*batches(lengths, recipe.token_budget, recipe.seed * 1000 + epoch), []]
    ]  # an empty batch marks the end of an epoch
    steps = sum(1 for batch in plan if batch)
    weights = balanced(examples.labels, examples.weights)
    half = in_bfloat16(recipe.precision, device)
    model.to(device)
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(
        trained, lr=recipe.learning_rate, weight_decay=recipe.weight_decay, foreach=True
    )
    torch.manual_seed(recipe.seed)
    average = Average(trained, steps)
    state = State(model, optimizer, average, checkpoints / CHECKPOINT)
    done, step, curves, total, counted = state.load()
    agree_on(step, device)
    saved = started = clock()
    for place in range(done, len(plan)):
        batch = plan[place]
        if not batch:
            if place + 1 == len(plan):
                average.take()
            curves.loss.append(total / max(counted, 1))
            curves.valid_loss.append(mean_loss(model, valid, pad, recipe.token_budget, device))
            curves.seconds.append(clock() - started)
            log.info(
                json.dumps({"event": "epoch", "loss": curves.loss, "valid": curves.valid_loss})
            )
            total, counted, started = 0.0, 0, clock()
            if one_too_many(curves.valid_loss):
                state.take_good()
                curves.kept = len(curves.valid_loss) - 1
                break
            if place + 1 < len(plan):  # the last one is kept by the checkpoint
                state.keep_good()
            curves.kept = len(curves.valid_loss)
            continue
        model.train()
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _pace(step, steps)
        optimizer.zero_grad(set_to_none=True)
        loss = _loss(model, examples, weights, batch, pad, device, half)
        if loss.requires_grad:
            loss.backward()  # type: ignore[no-untyped-call]
        value = sum_gradients(trained, loss)
        if not math.isfinite(value):
            raise Invalid(
                f"The loss became {value} at step {step + 1} of {steps}. Lower the learning rate "
                f"(now {recipe.learning_rate}), or look for broken messages in the data card."
            )
        torch.nn.utils.clip_grad_norm_(trained, 1.0)
        optimizer.step()
        step, total, counted = step + 1, total + value, counted + 1
        average.add(step)
        if on_step is not None:
            on_step(step, steps, value)
        if clock() - saved >= checkpoint_seconds:
            state.save(place + 1, step, curves, total, counted)
            saved = clock()
    state.save(len(plan), step, curves, total, counted)
    model.to("cpu").eval()
    return curves


def one_too_many(losses: list[float]) -> bool:
    """Tell whether the last epoch made things worse than the best one before it."""
    *before, last = losses
    return bool(before) and last > max(WORSE * min(before), min(before) + WORSE_AT_LEAST)


def _pace(step: int, steps: int) -> float:
    """Return the share of the learning rate: up over `WARM_UP`, then down to zero."""
    rise = (step + 1) / max(1.0, WARM_UP * steps)
    return min(rise, 1.0) * (steps - step) / steps


def _loss(
    model: Any,
    examples: Examples,
    weights: NDArray[np.float32],
    batch: list[int],
    pad: int,
    device: torch.device,
    half: bool,
) -> torch.Tensor:
    mine = share_of(batch)
    if not mine:  # fewer rows than processes
        return torch.zeros((), device=device)
    ids, mask = padded([examples.rows[place] for place in mine], pad)
    with torch.autocast(device.type, torch.bfloat16, enabled=half):
        logits = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
    each = torch.nn.functional.cross_entropy(
        logits.float(), torch.tensor(examples.labels[mine], device=device), reduction="none"
    )
    # The mean over rows, not over weights: a batch of trusted messages pulls harder than one of
    # doubtful ones.
    return (each * torch.tensor(weights[mine], device=device)).sum() / len(batch)


@torch.inference_mode()
def mean_loss(
    model: Any, valid: Examples, pad: int, token_budget: int, device: torch.device
) -> float:
    """Return the mean cross entropy, both classes weighing the same."""
    margins = margins_of(model, valid.rows, pad, token_budget, device)
    signed = np.where(valid.labels == 1, margins, -margins)
    each = np.logaddexp(0.0, -signed)
    return float(np.mean([each[valid.labels == label].mean() for label in np.unique(valid.labels)]))


@torch.inference_mode()
def margins_of(
    model: Any, rows: list[list[int]], pad: int, token_budget: int, device: torch.device
) -> NDArray[np.float64]:
    """Return scam logit minus ham logit of each row, shape (n,)."""
    model.eval()
    margins = np.zeros(len(rows))
    for batch in batches([len(row) for row in rows], 4 * token_budget, 0):
        ids, mask = padded([rows[place] for place in batch], pad)
        logits = model(input_ids=ids.to(device), attention_mask=mask.to(device)).logits.float()
        margins[batch] = (logits[:, 1] - logits[:, 0]).cpu().numpy()
    return margins
