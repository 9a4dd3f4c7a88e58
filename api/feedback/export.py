"""Exporting approved corrections: pure reads, by time of approval or by sealed batch."""

import csv
import io
from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import select

from api.audit import service as audit
from api.kit.context import Context, Services
from api.kit.database import read_only
from api.tables import Batch, BatchItem, Feedback, Scan
from shield.errors import NotFound
from shield.labels import FeedbackType, ScanType
from shield.wire import ExportRow

COLUMNS = (
    "id",
    "text",
    "originalLabel",
    "correctedLabel",
    "feedbackType",
    "scanType",
    "timestamp",
)
_CHUNK = 500
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def rows(
    services: Services, since: datetime | None, batch_id: str | None
) -> Iterator[Sequence[ExportRow]]:
    """Yield approved corrections in chunks, oldest approval first. Changes nothing."""
    after: tuple[datetime, str] | None = None
    while True:
        with services.sessions() as session:
            read_only(session)
            query = (
                select(Feedback, Scan)
                .join(Scan, Scan.id == Feedback.scan_id)
                .where(
                    Feedback.status == "approved",
                    Feedback.source == "report",
                    Scan.text_sealed.is_not(None),
                )
                .order_by(Feedback.approved_at, Feedback.id)
                .limit(_CHUNK)
            )
            if since is not None:
                query = query.where(Feedback.approved_at >= since)
            if batch_id is not None:
                members = select(BatchItem.feedback_id).where(BatchItem.batch_id == batch_id)
                query = query.where(Feedback.id.in_(members))
            if after is not None:
                query = query.where(
                    (Feedback.approved_at > after[0])
                    | ((Feedback.approved_at == after[0]) & (Feedback.id > after[1]))
                )
            found = session.execute(query).all()
        if not found:
            return
        yield [_row(services, feedback, scan) for feedback, scan in found]
        last: Feedback = found[-1][0]
        assert last.approved_at is not None
        after = (last.approved_at, last.id)


def _row(services: Services, feedback: Feedback, scan: Scan) -> ExportRow:
    assert scan.text_sealed is not None
    assert feedback.approved_at is not None
    return ExportRow(
        id=feedback.id,
        text=services.ring.open(scan.text_sealed, scan.id),
        original_label=feedback.original_label,
        corrected_label=feedback.corrected_label,
        feedback_type=FeedbackType(feedback.feedback_type),
        scan_type=ScanType(feedback.scan_type),
        timestamp=feedback.approved_at,
    )


def announce(ctx: Context, form: str, since: datetime | None, batch_id: str | None) -> None:
    """Write the export into the audit log.

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
    yield _lines([COLUMNS])
    for chunk in chunks:
        yield _lines(
            [
                [
                    row.id,
                    unformula(row.text),
                    row.original_label,
                    row.corrected_label,
                    row.feedback_type.value,
                    row.scan_type.value,
                    row.timestamp.isoformat(),
                ]
                for row in chunk
            ]
        )


def _lines(table: Sequence[Sequence[str]]) -> str:
    text = io.StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(table)
    return text.getvalue()


def unformula(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, "CSV Injection")."""
    return f"'{cell}" if cell.lstrip(" ").startswith(_FORMULA) else cell
