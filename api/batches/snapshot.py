"""Write a batch as Parquet, deterministically: equal rows give equal bytes."""

import io
from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

import pyarrow as pa
import pyarrow.parquet as pq

from shield.wire import Answer, FeedbackColumns

_ARROW: dict[type, Any] = {
    str: pa.string(),
    float: pa.float64(),
    int: pa.int64(),
    bool: pa.bool_(),
    datetime: pa.timestamp("us", tz="UTC"),
}


class TaughtText(Answer):
    """A message with the label to train on."""

    id: str
    text: str
    label: str
    predicted: str


class SnapshotRow(FeedbackColumns, TaughtText):
    """One approved correction, as exported for training."""

    reporter: str
    """Pseudonym of the reporter."""
    campaign: str
    trust: float
    scanned_at: datetime
    approved_at: datetime
    model_version: str


def arrow_type(annotation: Any) -> Any:
    """Return the Arrow type of a field: a plain type, a string enum, or an optional one of these.

    Raises:
        TypeError: The field's type cannot be stored in a snapshot.
    """
    kinds = {kind for kind in _plain_kinds(annotation) if kind is not NoneType}
    kind = kinds.pop() if len(kinds) == 1 else None
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        kind = str
    if kind not in _ARROW:
        raise TypeError(f"A snapshot has no column type for {annotation!r}.")
    return _ARROW[kind]


def _plain_kinds(annotation: Any) -> list[Any]:
    """Return the member types of a union, without `Annotated` constraints."""
    if get_origin(annotation) is Annotated:
        return _plain_kinds(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [kind for one in get_args(annotation) for kind in _plain_kinds(one)]
    return [annotation]


SCHEMA = pa.schema(
    [(name, arrow_type(field.annotation)) for name, field in SnapshotRow.model_fields.items()]
)


def parquet(rows: Sequence[SnapshotRow]) -> bytes:
    """Return the rows, sorted by id, as the bytes of a Parquet file.

    Deterministic for one release of pyarrow: no wall clock, no random names, one row group, and the
    library's own metadata left out of the schema.
    """
    return write(table(rows))


def table(rows: Sequence[SnapshotRow]) -> Any:
    """Return the rows, sorted by id, as a table of `SCHEMA`."""
    ordered = sorted(rows, key=lambda row: row.id)
    columns = {name: [getattr(row, name) for row in ordered] for name in SCHEMA.names}
    return pa.table(columns, schema=SCHEMA)


def write(table: Any) -> bytes:
    """Return a table of `SCHEMA` as the bytes of a Parquet file."""
    sink = io.BytesIO()
    pq.write_table(
        table,
        sink,
        compression="zstd",
        row_group_size=max(1, table.num_rows),
        store_schema=False,
    )
    return sink.getvalue()
