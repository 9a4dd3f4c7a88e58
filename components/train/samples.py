"""The messages that a package is tried with before it serves."""

import polars as pl

from components.shared import messages

SAMPLES = 4
"""Texts in `samples.json`."""


def sample_texts(train: pl.DataFrame) -> list[str]:
    """Return short messages of both classes from the corpora that come with the product.

    They travel with the package, to whoever is given it: neither users' corrections nor what
    somebody has added to the corpus (`shieldctl corpus add`) may be among them.
    """
    source = pl.col("source")
    public = train.filter((source != messages.OF_USERS) & ~source.str.starts_with(messages.ADDED))
    short = public.with_columns(length=pl.col("text").str.len_chars()).filter(
        pl.col("length").is_between(20, 120)
    )
    picked = [
        text
        for label in (0, 1)
        for text in short.filter(pl.col("label") == label).sort("id")["text"].head(SAMPLES // 2)
    ]
    return picked or ["Are we still on for lunch?", "You have won a prize, call now."]
