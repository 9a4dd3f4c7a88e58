"""Batches of messages of like length, under a budget of tokens: little is spent on padding."""

from collections.abc import Sequence

import numpy as np

MOST_ROWS = 64
"""Rows in a batch of very short messages; more would be too few steps for a small set."""


def batches(
    lengths: Sequence[int], token_budget: int, seed: int, most_rows: int = MOST_ROWS
) -> list[list[int]]:
    """Return the places of the rows of each batch, in an order drawn from `seed`.

    Rows are sorted by length with a little noise, so that neighbours change between epochs, cut
    where rows times longest row would pass `token_budget`, and the batches are shuffled.

    Args:
        lengths: Tokens of each row.
        token_budget: Most tokens of a batch, padding included; a longer row is a batch of its own.
        seed: Another one per epoch.
        most_rows: Most rows of a batch.
    """
    rng = np.random.default_rng(seed)
    noisy = np.asarray(lengths, dtype=np.float64) * (1 + 0.1 * rng.random(len(lengths)))
    groups: list[list[int]] = []
    current: list[int] = []
    longest = 0
    for place in np.argsort(noisy, kind="stable").tolist():
        grown = max(longest, lengths[place])
        if current and (grown * (len(current) + 1) > token_budget or len(current) == most_rows):
            groups.append(current)
            current, grown = [], lengths[place]
        current.append(place)
        longest = grown
    if current:
        groups.append(current)
    rng.shuffle(groups)
    return groups
