"""The messages that operating points are set on: never taught, and nobody is judged on them."""

from pathlib import Path

import polars as pl

FILES = ("valid.parquet", "frozen_ham.parquet")


def frozen(dataset: Path) -> pl.DataFrame:
    """Return text and label of the frozen messages of a dataset directory, mostly harmless ones.

    A file that is not there counts as empty: a dataset of an earlier release has no frozen ham.
    """
    parts = [
        pl.read_parquet(dataset / name, columns=["text", "label"]).cast({"label": pl.Int8})
        for name in FILES
        if (dataset / name).is_file()
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema={"text": pl.String, "label": pl.Int8})
