"""The messages that a package is tried with before it serves."""

import polars as pl

SAMPLES = 4
"""Texts in `samples.json`."""


def sample_texts(train: pl.DataFrame) -> list[str]:
    """Return short corpus messages of both classes; they travel with the package."""
    public = train.filter(pl.col("source") != "feedback")
    short = public.with_columns(length=pl.col("text").str.len_chars()).filter(
        pl.col("length").is_between(20, 120)
    )
    picked = [
        text
        for label in (0, 1)
        for text in short.filter(pl.col("label") == label).sort("id")["text"].head(SAMPLES // 2)
    ]
    return picked or ["Are we still on for lunch?", "You have won a prize, call now."]
