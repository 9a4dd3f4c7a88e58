"""The table of labelled messages: one schema for corpora, datasets and corrections."""

import hashlib
from pathlib import Path

import polars as pl

from shield.errors import Invalid

OF_USERS = "feedback"
"""The source of corrections."""
ADDED = "added-"
"""How the source of what somebody has added to a corpus begins; the name of the file follows."""
SCHEMA: dict[str, pl.DataType] = {
    "id": pl.String(),
    "text": pl.String(),  # as scanned; predictors normalise by themselves
    "label": pl.Int8(),  # 1 = scam
    "source": pl.String(),  # corpus name, or `OF_USERS`
    "campaign": pl.String(),  # id of the first message of its campaign
    "tactic": pl.String(),  # "" where unknown
    "language": pl.String(),  # two letters; "" where unknown
    "channel": pl.String(),  # sms, mail or call; "" where unknown
    "reporter": pl.String(),  # pseudonym, "" for corpora
    "weight": pl.Float32(),
    "scanned_at": pl.Datetime("us", "UTC"),  # null where unknown
}

_NEEDED = frozenset({"id", "text", "label"})
_UNKNOWN: dict[str, float | None] = {"weight": 1.0, "scanned_at": None}
"""What stands for what is not known; else an empty string."""


def message_id(source: str, text: str) -> str:
    """Return a stable id for a corpus message: the same text has the same id for ever."""
    return f"{source}-{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"


def conform(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with exactly the columns of `SCHEMA`, missing ones and empty cells filled.

    A cell without a text, a label or an id stays as it is: there is nothing to put there.
    """
    absent = [
        pl.lit(_UNKNOWN.get(name, "")).cast(kind).alias(name)
        for name, kind in SCHEMA.items()
        if name not in table.columns
    ]
    cells = {name: pl.col(name).cast(kind) for name, kind in SCHEMA.items()}
    for name, kind in SCHEMA.items():
        if name not in _NEEDED:
            cells[name] = cells[name].fill_null(pl.lit(_UNKNOWN.get(name, "")).cast(kind))
    return table.with_columns(absent).select(**cells)


def empty() -> pl.DataFrame:
    """Return a table without rows."""
    return pl.DataFrame(schema=SCHEMA)


def write(table: pl.DataFrame, path: Path) -> str:
    """Write a table as Parquet with bytes that depend on its rows alone; return `sha256:...`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # One row group size and no statistics by machine: the same rows give the same file.
    conform(table).write_parquet(path, compression="zstd", row_group_size=100_000)
    return file_digest(path)


def read(path: Path) -> pl.DataFrame:
    """Read a table of messages.

    Raises:
        Invalid: The file is missing or is not such a table.
    """
    try:
        table = pl.read_parquet(path)
    except (OSError, pl.exceptions.PolarsError) as error:
        raise Invalid(
            f"{path} cannot be read as Parquet ({error}). Run the step again that writes it."
        ) from error
    missing = {"id", "text", "label"} - set(table.columns)
    if missing:
        raise Invalid(f"{path} has no column {', '.join(sorted(missing))}. It is no message table.")
    return conform(table)


def file_digest(path: Path) -> str:
    """Return `sha256:<hex>` of a file's bytes."""
    with path.open("rb") as stream:
        return f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
