"""Read labelled messages from files, and from datasets of Hugging Face's `datasets`.

A `ClassLabel` is read by its names: whether 0 stands for the harmless ones is for its author to
say, not for us to guess.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet

from shield.errors import Invalid

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

_SAVED, _DICT = "state.json", "dataset_dict.json"
"""Files by which a directory of `Dataset.save_to_disk` and `DatasetDict.save_to_disk` is known."""


def read_source(source: Path | Dataset | DatasetDict) -> pl.DataFrame:
    """Return the rows of all splits, with the columns that they have; labels by their names.

    Raises:
        Invalid: It cannot be read, or is of a kind that is not known.
    """
    if not isinstance(source, Path):
        return _of_dataset(source)
    try:
        if source.is_dir():
            return _of_dataset(_load(source))
        return _reader(source)(source)
    except (OSError, ValueError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise Invalid(f"{source} cannot be read ({why}).") from error


def name_of(source: Path | Dataset | DatasetDict) -> str:
    """Return a name for a source: the file's without its ending, or the dataset's own."""
    if isinstance(source, Path):
        return source.resolve().stem
    splits = list(source.values()) if isinstance(source, dict) else [source]
    return str(next((split.info.dataset_name for split in splits), None) or "dataset")


def _reader(file: Path) -> Callable[[Path], pl.DataFrame]:
    readers: dict[str, Callable[[Path], pl.DataFrame]] = {
        ".csv": lambda path: pl.read_csv(path, infer_schema=False, encoding="utf8-lossy"),
        ".jsonl": lambda path: pl.read_ndjson(path, infer_schema_length=None),
        ".parquet": _of_parquet,
        ".arrow": _of_arrow,
    }
    if file.suffix.lower() not in readers:
        raise Invalid(
            f"{file} is none of CSV, JSONL, Parquet, Arrow (by its ending), and no directory of "
            "`save_to_disk`. Convert it."
        )
    return readers[file.suffix.lower()]


def _of_parquet(file: Path) -> pl.DataFrame:
    return _named(pl.read_parquet(file), _names_in(pa.parquet.read_schema(file)))


def _of_arrow(file: Path) -> pl.DataFrame:
    with pa.memory_map(str(file)) as raw:
        try:
            table = pa.ipc.open_stream(raw).read_all()  # what `datasets` writes
        except pa.ArrowInvalid:
            table = pa.ipc.open_file(raw).read_all()
        return _named(_frame(table), _names_in(table.schema))


def _load(folder: Path) -> Dataset | DatasetDict:
    if not (folder / _SAVED).is_file() and not (folder / _DICT).is_file():
        raise Invalid(
            f"{folder} is no directory that `datasets` has saved (it has neither {_SAVED} nor "
            f"{_DICT}). Write one with `dataset.save_to_disk({folder.name!r})`."
        )
    from datasets import load_from_disk

    return load_from_disk(str(folder))


def _of_dataset(source: Dataset | DatasetDict) -> pl.DataFrame:
    splits: Sequence[Any] = list(source.values()) if isinstance(source, dict) else [source]
    tables = [
        _named(
            _frame(split.with_format("arrow")[:]),
            getattr(split.features.get("label"), "names", None),
        )
        for split in splits
    ]
    return pl.concat(tables, how="diagonal_relaxed") if tables else pl.DataFrame()


def _frame(table: pa.Table) -> pl.DataFrame:
    frame = pl.from_arrow(table)
    assert isinstance(frame, pl.DataFrame)
    return frame


def _names_in(schema: pa.Schema) -> Sequence[str] | None:
    """Return the label names that `datasets` keeps in a file's schema, if it has written it."""
    kept = (schema.metadata or {}).get(b"huggingface")
    label = json.loads(kept).get("info", {}).get("features", {}).get("label", {}) if kept else {}
    names: Sequence[str] | None = label.get("names") if isinstance(label, dict) else None
    return names


def _named(table: pl.DataFrame, names: Sequence[str] | None) -> pl.DataFrame:
    if not names or "label" not in table.columns or not table["label"].dtype.is_integer():
        return table
    places = dict(enumerate(map(str, names)))
    return table.with_columns(
        pl.col("label").replace_strict(places, default=None, return_dtype=pl.String)
    )
