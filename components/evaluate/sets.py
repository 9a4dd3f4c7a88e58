"""The judged sets, read and checked."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from shield.errors import Invalid

REQUIRED_COLUMNS = ("id", "text", "label")
JUDGED = ("golden", "time_forward", "fresh", "old_errors", "judge")
"""Files of a dataset directory that both models are judged on; all but the first may be missing.
No gate looks at `judge`: it was written, or held back for a demonstration."""


@dataclass(frozen=True)
class JudgedSet:
    """Messages with their truth, in file order."""

    name: str
    table: pl.DataFrame

    @property
    def texts(self) -> list[str]:
        """The messages."""
        return self.table["text"].to_list()

    @property
    def scam(self) -> NDArray[np.bool_]:
        """Shape (n,). True where the message is a scam."""
        return np.asarray(self.table["label"].to_numpy() == 1, dtype=np.bool_)

    @property
    def n(self) -> int:
        """Number of messages."""
        return self.table.height


def read_sets(dataset: Path) -> dict[str, JudgedSet]:
    """Read the judged sets of a dataset directory; missing and empty ones are left out.

    Raises:
        Invalid: No golden set, or a file that is not what it should be.
    """
    sets = {}
    for name in JUDGED:
        path = dataset / f"{name}.parquet"
        if path.is_file():
            judged = JudgedSet(name, read_table(path))
            if judged.n:
                sets[name] = judged
    if "golden" not in sets:
        raise Invalid(
            f"{dataset / 'golden.parquet'} is missing or empty. Nothing can be promoted without a "
            "golden set: add labelled messages with `shieldctl corpus add` and run again."
        )
    return sets


def read_table(path: Path) -> pl.DataFrame:
    """Read and check one Parquet file of messages.

    Raises:
        Invalid: It cannot be read, lacks a column, has empty cells, unknown labels or an id twice.
    """
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Invalid(
            f"{path} cannot be read as Parquet ({error}). Run build_dataset again."
        ) from error
    problems = _problems(table)
    if problems:
        raise Invalid(f"{path} cannot be judged on: {problems}. Run build_dataset again.")
    return table


def _problems(table: pl.DataFrame) -> str:
    missing = [name for name in REQUIRED_COLUMNS if name not in table.columns]
    if missing:
        return f"it has no column {', '.join(missing)} (but {', '.join(table.columns)})"
    for name in REQUIRED_COLUMNS:
        empty = table[name].null_count()
        if empty:
            return f"{empty} of {table.height} rows have no {name}"
    if table["text"].dtype != pl.String:
        return f"its column text holds {table['text'].dtype}, not strings"
    unknown = table.filter(~pl.col("label").cast(pl.String).is_in(["0", "1"])).height
    if unknown:
        return f"{unknown} of {table.height} labels are neither 0 nor 1"
    twice = table.height - table["id"].n_unique()
    if twice:
        return f"{twice} ids occur twice"
    return ""
