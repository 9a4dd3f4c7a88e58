"""Runs of one to three words, as a model sees them: disguises folded, case ignored."""

import re

import polars as pl

from shield.text import normalise

LONGEST_RUN = 3
"""Words; a longer phrase is found by its parts."""
_WORD = re.compile(
    # Scripts without spaces: every sign is a word. Marks and emoji are words too: a phrase need
    # not have a letter in it.
    r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]|\w+|[^\w\s]",
)


def words_of(text: str) -> list[str]:
    """Return the words of a message, folded."""
    return _WORD.findall(normalise(text).lower())


def grams_of(texts: pl.Series) -> pl.DataFrame:
    """Return `row` (place in `texts`) and `gram`, each run of words of a text once."""
    words = pl.Series([words_of(text) for text in texts], dtype=pl.List(pl.String))
    table = pl.DataFrame({"row": pl.Series(range(len(texts)), dtype=pl.UInt32), "w1": words})
    table = table.explode("w1").drop_nulls()
    table = table.with_columns(
        w2=pl.col("w1").shift(-1).over("row"), w3=pl.col("w1").shift(-2).over("row")
    )
    runs = [
        table.select(
            "row", gram=pl.concat_str([f"w{n}" for n in range(1, length + 1)], separator=" ")
        ).drop_nulls()
        for length in range(1, LONGEST_RUN + 1)
    ]
    return pl.concat(runs).unique(maintain_order=True)
