"""Export approved corrections by time of approval or by sealed batch. Read-only."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime
from enum import Enum

from pydantic.alias_generators import to_camel
from sqlalchemy import select

from api.audit import service as audit
from api.kit.context import Context, Services
from api.kit.database import read_only
from api.kit.paging import Sorted
from api.tables import Batch, BatchItem, Feedback, Scan
from api.tables.feedback import shared_columns
from shield.errors import NotFound
from shield.spreadsheet import guarded
from shield.wire import ExportRow

_CHUNK = 500
_ORDER = Sorted(Feedback.approved_at, Feedback.id, kind=lambda approved_at: approved_at)


def rows(
    services: Services, since: datetime | None, batch_id: str | None
) -> Iterator[Sequence[ExportRow]]:
    """Yield approved corrections in chunks, oldest approval first."""
    after: tuple[datetime, str] | None = None
    while True:
        with services.sessions() as session:
            read_only(session)
            query = (
                select(Feedback, Scan)
                .join(Scan, Scan.id == Feedback.scan_id)
                .where(
                    Feedback.status == "approved",
                    Feedback.approved_at.is_not(None),
                    Feedback.source.in_(("report", "contest")),
                    Scan.text_sealed.is_not(None),
                )
                .order_by(*_ORDER.order())
                .limit(_CHUNK)
            )
            if since is not None:
                query = query.where(Feedback.approved_at >= since)
            if batch_id is not None:
                members = select(BatchItem.feedback_id).where(BatchItem.batch_id == batch_id)
                query = query.where(Feedback.id.in_(members))
            if after is not None:
                query = query.where(_ORDER.after(after))
            pairs = session.execute(query).all()
        if not pairs:
            return
        yield [_row(services, feedback, scan) for feedback, scan in pairs]
        last: Feedback = pairs[-1][0]
        assert last.approved_at is not None
        after = (last.approved_at, last.id)


def _row(services: Services, feedback: Feedback, scan: Scan) -> ExportRow:
    assert scan.text_sealed is not None
    assert feedback.approved_at is not None
    return ExportRow(
        **shared_columns(feedback),
        id=feedback.id,
        text=services.ring.open(scan.text_sealed, scan.id),
        original_label=feedback.original_label,
        corrected_label=feedback.corrected_label,
        timestamp=feedback.approved_at,
    )


def announce(ctx: Context, form: str, since: datetime | None, batch_id: str | None) -> None:
    """Record the export in the audit log.

    Raises:
        NotFound: There is no such batch.
    """
    if batch_id is not None and ctx.session.get(Batch, batch_id) is None:
        raise NotFound.of("batch", batch_id, "`GET /api/v2/batches` lists them.")
    audit.record(
        ctx,
        "feedback.export",
        batch_id or "all",
        "",
        format=form,
        since=since.isoformat() if since else None,
        decrypted=True,
    )


def as_csv(chunks: Iterator[Sequence[ExportRow]]) -> Iterator[str]:
    """Yield the export as CSV (RFC 4180), safe to open in a spreadsheet."""
    yield _lines([[to_camel(name) for name in ExportRow.model_fields]])
    for chunk in chunks:
        yield _lines([[_cell(value) for _, value in row] for row in chunk])


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Enum):
        return str(value.value)
    return guarded(value) if isinstance(value, str) else str(value)


def _lines(table: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(table)
    return text.getvalue()
