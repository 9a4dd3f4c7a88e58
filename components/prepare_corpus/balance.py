"""How much each source of messages counts in what teaches."""

import polars as pl

MOST = 4.0
"""A message counts at most so many times the average: the few of a small source are not all there
is of it."""


def weigh_sources(train: pl.DataFrame) -> pl.DataFrame:
    """Return the messages with weights under which a source counts by the root of its size.

    A large source would teach its own ways alone, and of a small one nearly nothing would be
    learnt: the book of scams has thirty of its scams for each that was collected from real phones.
    The root is halfway, in orders of magnitude, between all messages alike and all sources alike.

    Each class by itself; the weights of a class are 1 on average before `MOST` is applied.

    Source: the sampling of languages by Conneau et al., "Unsupervised Cross-lingual Representation
    Learning at Scale", ACL 2020, with an exponent of 0.5.

    Args:
        train: Columns of `messages.SCHEMA`.
    """
    size = pl.len().over("label", "source").cast(pl.Float64)
    share = size.sqrt() / size
    weight = share / share.mean().over("label")
    return train.with_columns(weight=weight.clip(upper_bound=MOST).cast(pl.Float32))
