"""The messages that operating points are set on: never taught, and nobody is judged on them."""

from pathlib import Path

import polars as pl

_COLUMNS = {"text": pl.String, "label": pl.Int8, "source": pl.String}
FILES = ("valid.parquet", "frozen_ham.parquet")


def frozen(dataset: Path) -> pl.DataFrame:
    """Return text, label and source of the frozen messages of a dataset, mostly harmless ones.

    A file that is not there counts as empty: a dataset of an earlier release has no frozen ham.
    """
    parts = [
        pl.read_parquet(dataset / name, columns=list(_COLUMNS)).cast({"label": pl.Int8})
        for name in FILES
        if (dataset / name).is_file()
    ]
    return pl.concat(parts) if parts else pl.DataFrame(schema=_COLUMNS)
