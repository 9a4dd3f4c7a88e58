"""Several processes that train one model: `torchrun` starts them, this keeps them together.

Each takes its share of every batch, and the gradients are summed: the same steps as one process
makes, up to the rounding of sums. All of them need the same dataset, checkpoint and model
directories (a shared volume); the first one alone writes.
"""

import os
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

import torch
from torch import distributed

from shield.errors import Misconfigured

_PATIENCE = timedelta(minutes=30)
"""How long a process waits for another: the export of the first one takes minutes."""


class Spread(NamedTuple):
    """Which of how many processes this is."""

    rank: int
    size: int


def join() -> torch.device:
    """Join the processes that `torchrun` has started; return the device of this one."""
    cuda = torch.cuda.is_available()
    local = int(os.environ.get("LOCAL_RANK", "0"))
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1 and not distributed.is_initialized():
        if cuda:
            torch.cuda.set_device(device)
        distributed.init_process_group("nccl" if cuda else "gloo", timeout=_PATIENCE)
    return device


def here() -> Spread:
    """Return which process this is; the only one where there are no others."""
    if not distributed.is_initialized():
        return Spread(0, 1)
    return Spread(distributed.get_rank(), distributed.get_world_size())


def share_of(batch: Sequence[int]) -> list[int]:
    """Return the places of a batch that this process looks at; none, if there are too few."""
    rank, size = here()
    return list(batch[rank::size])


def sum_gradients(parameters: Iterable[torch.nn.Parameter], loss: torch.Tensor) -> float:
    """Sum gradients and loss over all processes, in place; return the sum of the losses."""
    if here().size == 1:
        return float(loss.detach())
    held = [each for each in parameters if each.requires_grad]
    for each in held:
        if each.grad is None:
            each.grad = torch.zeros_like(each)
    grads = [each.grad for each in held if each.grad is not None]
    flat = torch.cat([loss.detach().reshape(1).float(), *(grad.reshape(-1) for grad in grads)])
    distributed.all_reduce(flat)
    start = 1
    for grad in grads:
        grad.copy_(flat[start : start + grad.numel()].view_as(grad))
        start += grad.numel()
    return float(flat[0])


def agree_on(step: int, device: torch.device) -> None:
    """Make sure that all processes go on from the same step.

    Raises:
        Misconfigured: They do not: they see different checkpoints.
    """
    if here().size == 1:
        return
    mine = torch.tensor([step, -step], device=device)
    distributed.all_reduce(mine, distributed.ReduceOp.MAX)
    if int(mine[0]) != -int(mine[1]):
        raise Misconfigured(
            f"The processes would go on from steps {-int(mine[1])} to {int(mine[0])}: they do not "
            "share a checkpoint directory. Put SHIELD_CHECKPOINT_DIR on a volume that all mount."
        )


def wait_for_first() -> None:
    """Wait until all processes are here: the first comes last, with the package written."""
    if here().size > 1:
        distributed.barrier()
