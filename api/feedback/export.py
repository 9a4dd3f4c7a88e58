"""Export approved corrections by time of approval or by sealed batch. Read-only."""

import csv
import io
import logging
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
from shield.wire import ExportRead, ExportRow

logger = logging.getLogger("api.feedback")

_CHUNK = 500
_ORDER = Sorted(Feedback.approved_at, Feedback.id, kind=lambda approved_at: approved_at)


def rows(
    services: Services, since: datetime | None, batch_id: str | None
) -> Iterator[Sequence[ExportRow | None]]:
    """Yield approved corrections in chunks, oldest approval first.

    In the place of one whose message cannot be read stands `None`: it keeps no other back.
    """
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


def _row(services: Services, feedback: Feedback, scan: Scan) -> ExportRow | None:
    assert scan.text_sealed is not None
    assert feedback.approved_at is not None
    text = services.ring.shown(scan.text_sealed, scan.id)
    if text is None:
        return None
    return ExportRow(
        **shared_columns(feedback),
        id=feedback.id,
        text=text,
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


def as_json(chunks: Iterator[Sequence[ExportRow | None]], batch_id: str | None) -> ExportRead:
    """Return the export as one answer, which counts what cannot be read."""
    every = [row for chunk in chunks for row in chunk]
    data = [row for row in every if row is not None]
    unreadable = _told(len(every) - len(data))
    return ExportRead(batch_id=batch_id, count=len(data), unreadable=unreadable, data=data)


def as_csv(chunks: Iterator[Sequence[ExportRow | None]]) -> Iterator[str]:
    """Yield the export as CSV (RFC 4180), safe to open in a spreadsheet.

    It has no place for a count of what cannot be read: the log has it.
    """
    yield _lines([[to_camel(name) for name in ExportRow.model_fields]])
    unreadable = 0
    for chunk in chunks:
        data = [row for row in chunk if row is not None]
        unreadable += len(chunk) - len(data)
        yield _lines([[_cell(value) for _, value in row] for row in data])
    _told(unreadable)


def _told(unreadable: int) -> int:
    if unreadable:
        logger.warning("%d corrections cannot be read: left out of an export", unreadable)
    return unreadable


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
