"""Writing a batch as Parquet: the same rows always give the same bytes."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.string()),
        ("label", pa.string()),
        ("predicted", pa.string()),
        ("feedback_type", pa.string()),
        ("scan_type", pa.string()),
        ("reporter", pa.string()),
        ("campaign", pa.string()),
        ("trust", pa.float64()),
        ("scanned_at", pa.timestamp("us", tz="UTC")),
        ("approved_at", pa.timestamp("us", tz="UTC")),
        ("model_version", pa.string()),
    ]
)


@dataclass(frozen=True)
class SnapshotRow:
    """One approved correction, as training sees it."""

    id: str
    text: str
    label: str
    predicted: str
    feedback_type: str
    scan_type: str
    reporter: str
    """Pseudonym."""
    campaign: str
    trust: float
    scanned_at: datetime
    approved_at: datetime
    model_version: str


def parquet(rows: Sequence[SnapshotRow]) -> bytes:
    """Return the rows, sorted by id, as the bytes of a Parquet file.

    Deterministic for one release of pyarrow: no wall clock, no random names, one row group, and
    the library's own metadata left out of the schema.
    """
    ordered = sorted(rows, key=lambda row: row.id)
    columns = {name: [getattr(row, name) for row in ordered] for name in SCHEMA.names}
    return write(pa.table(columns, schema=SCHEMA))


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
