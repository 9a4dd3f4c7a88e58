"""Read labelled messages from files of any kind, and from datasets of Hugging Face's `datasets`.

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

from components.prepare_corpus.intake.columns import header_of
from components.prepare_corpus.intake.decoding import decoded
from components.prepare_corpus.intake.delimited import rows_of
from components.prepare_corpus.intake.documents import of_json, of_json_lines, of_spreadsheet
from components.prepare_corpus.intake.mailboxes import of_mailbox, of_mails
from components.prepare_corpus.intake.table import (
    LINE,
    BadRow,
    HowToRead,
    Table,
    distinct_names,
    table_of,
)
from shield.errors import Invalid

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

_SAVED, _DICT = "state.json", "dataset_dict.json"
"""Files by which a directory of `Dataset.save_to_disk` and `DatasetDict.save_to_disk` is known."""
KINDS = "CSV, TSV, JSON, JSON Lines, Parquet, Arrow, XLSX, mbox, eml, or a plain list"


def read_source(source: Path | Dataset | DatasetDict, how: HowToRead | None = None) -> Table:
    """Return the rows of a file, or of all splits of a dataset, with the columns that they have.

    Raises:
        Invalid: It cannot be read, or is of a kind that is not known.
    """
    if not isinstance(source, Path):
        return _of_frame(_of_dataset(source), "dataset")
    try:
        if source.is_dir():
            return _of_folder(source)
        return _reader(source)(source, how or HowToRead())
    except (OSError, ValueError, pa.ArrowException, pl.exceptions.PolarsError) as error:
        why = (str(error).splitlines() or [type(error).__name__])[0]
        raise Invalid(f"{source} cannot be read ({why}).") from error


def name_of(source: Path | Dataset | DatasetDict) -> str:
    """Return a name for a source: the file's without its ending, or the dataset's own."""
    if isinstance(source, Path):
        return source.resolve().stem
    splits = list(source.values()) if isinstance(source, dict) else [source]
    return str(next((split.info.dataset_name for split in splits), None) or "dataset")


Reader = Callable[[Path, HowToRead], Table]


def _reader(file: Path) -> Reader:
    known = _READERS.get(file.suffix.lower())
    if known is not None:
        return known
    with file.open("rb") as stream:
        start = stream.read(4096)
    if b"\x00" in start and not start.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise Invalid(f"{file} is none of {KINDS}. Convert it.")
    if start.startswith(b"From "):
        return _READERS[".mbox"]
    if start.lstrip()[:1] == b"{":
        return _READERS[".jsonl"]
    return _READERS[".json"] if start.lstrip()[:1] == b"[" else _of_text


def _of_text(file: Path, how: HowToRead) -> Table:
    """Read cells that a sign parts; where nothing does and a label was told, a list of messages."""
    text, encoding = decoded(file.read_bytes(), file.name, how.encoding)
    try:
        rows, dialect = rows_of(text, file.name, how.delimiter)
    except Invalid:
        if how.label is None or how.delimiter is not None:
            raise
        return _of_list(text, encoding)
    if how.label is not None and how.text is None and file.suffix.lower() in ("", ".txt", ".list"):
        columns = [cell.strip().lower() for cell in (rows.rows[0] if rows.rows else [])]
        if how.label.strip().lower() not in columns and not how.label.isdecimal():
            return _of_list(text, encoding)  # one label for all: its commas are its own
    width = rows.width()
    header = header_of(rows.rows, how)
    names = distinct_names(header) if header else [str(place + 1) for place in range(width)]
    body = list(zip(rows.rows, rows.lines, strict=True))[1 if header else 0 :]
    whole = [(row, line) for row, line in body if len(row) == len(names)]
    bad = [
        BadRow(line, f"it has {len(row)} cells instead of {len(names)}")
        for row, line in body
        if len(row) != len(names)
    ]
    return table_of(
        names,
        [row for row, _ in whole],
        [line for _, line in whole],
        bad=rows.bad + bad,
        found={
            "kind": "cells",
            "encoding": encoding,
            **dialect.words(),
            "header": ", ".join(names) if header else "none: columns go by their places",
        },
        named=header is not None,
        delimiter=dialect.delimiter,
    )


def _of_list(text: str, encoding: str) -> Table:
    numbered = [
        (line, place) for place, line in enumerate(text.split("\n"), start=1) if line.strip()
    ]
    return table_of(
        ["text"],
        [[line.removesuffix("\r")] for line, _ in numbered],
        [place for _, place in numbered],
        found={"kind": "plain list, a message a line", "encoding": encoding},
    )


def _of_json(file: Path, how: HowToRead) -> Table:
    text, encoding = decoded(file.read_bytes(), file.name, how.encoding)
    table = of_json(text, file.name)
    table.found["encoding"] = encoding
    return table


def _of_json_lines(file: Path, how: HowToRead) -> Table:
    text, encoding = decoded(file.read_bytes(), file.name, how.encoding)
    if file.suffix.lower() not in (".jsonl", ".ndjson") and text.lstrip().startswith("{"):
        try:
            return of_json(text, file.name)
        except Invalid:
            pass
    table = of_json_lines(text)
    table.found["encoding"] = encoding
    return table


def _of_folder(folder: Path) -> Table:
    if (folder / _SAVED).is_file() or (folder / _DICT).is_file():
        from datasets import load_from_disk

        return _of_frame(_of_dataset(load_from_disk(str(folder))), "dataset")
    if mails := sorted(folder.glob("*.eml")):
        return of_mails(mails)
    raise Invalid(
        f"{folder} is no directory that `datasets` has saved (it has neither {_SAVED} nor "
        f"{_DICT}), and there is no mail (.eml) in it. Name a file, or write a dataset with "
        f"`dataset.save_to_disk({folder.name!r})`."
    )


def _of_parquet(file: Path) -> pl.DataFrame:
    return _named(pl.read_parquet(file), _names_in(pa.parquet.read_schema(file)))


def _of_arrow(file: Path) -> pl.DataFrame:
    with pa.memory_map(str(file)) as raw:
        try:
            table = pa.ipc.open_stream(raw).read_all()  # what `datasets` writes
        except pa.ArrowInvalid:
            table = pa.ipc.open_file(raw).read_all()
        return _named(_frame(table), _names_in(table.schema))


def _of_frame(frame: pl.DataFrame, kind: str) -> Table:
    """Return a frame as a table of words: times in ISO 8601, and no lists."""
    columns = []
    for name, dtype in frame.schema.items():
        if dtype.is_temporal():
            columns.append(pl.col(name).dt.to_string("iso:strict"))
        elif dtype.is_nested() or dtype in (pl.Binary, pl.Object):
            kept = "(a list)" if isinstance(dtype, pl.List | pl.Array) else "(no text)"
            columns.append(pl.when(pl.col(name).is_not_null()).then(pl.lit(kept)).alias(name))
        elif dtype == pl.Boolean:
            columns.append(pl.col(name).cast(pl.Int8).cast(pl.String))
        elif dtype.is_float():
            whole = pl.col(name) == pl.col(name).round(0)
            number = pl.when(whole).then(pl.col(name).cast(pl.Int64, strict=False).cast(pl.String))
            columns.append(number.otherwise(pl.col(name).cast(pl.String)).alias(name))
        else:
            columns.append(pl.col(name).cast(pl.String))
    rows = frame.select(columns)
    line = pl.Series(LINE, range(1, frame.height + 1), pl.Int64)
    return Table(rows.with_columns(line), found={"kind": kind})


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


_READERS: dict[str, Reader] = {
    ".csv": _of_text,
    ".tsv": _of_text,
    ".tab": _of_text,
    ".txt": _of_text,
    ".json": _of_json,
    ".jsonl": _of_json_lines,
    ".ndjson": _of_json_lines,
    ".parquet": lambda file, _: _of_frame(_of_parquet(file), "Parquet"),
    ".arrow": lambda file, _: _of_frame(_of_arrow(file), "Arrow"),
    ".xlsx": lambda file, how: of_spreadsheet(file.read_bytes(), file.name, how),
    ".mbox": lambda file, _: of_mailbox(file),
    ".eml": lambda file, _: of_mails([file]),
}
