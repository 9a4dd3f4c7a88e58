"""Seal, lease, acknowledge and release batches.

Reading has no side effects. A correction is consumed only by an acknowledgement, which requires a
registered version. Every other outcome frees the rows for a later batch.
"""

import logging
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import delete, select

from api.audit import service as audit
from api.batches import repository
from api.batches.snapshot import SnapshotRow, parquet
from api.kit.context import Context
from api.kit.database import lock
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.tables import Batch, BatchItem, Feedback, Scan, User, Version
from api.tables.feedback import shared_columns
from shield.artifacts.content import put_file
from shield.errors import LeaseLost, NotFound
from shield.labels import FeedbackType
from shield.wire import (
    AckRequest,
    BatchRead,
    LeaseRequest,
    LeaseResult,
    Pagination,
    ReleaseRequest,
    RenewRequest,
)

logger = logging.getLogger("api.batches")


def lease(ctx: Context, request: LeaseRequest) -> LeaseResult:
    """Seal all approved, free corrections that can be read into a batch and lease it to a run.

    Idempotent per run: an active lease is renewed, an acknowledged batch is returned again, and an
    expired lease is resumed while no other run holds its rows.
    """
    model_type = request.model_type.value
    lock(ctx.session, f"batches {model_type}")
    expire(ctx)
    expires = ctx.now + timedelta(seconds=request.lease_seconds)
    known = repository.current_of_run(ctx.session, model_type, request.run_id)
    if known is not None and known.status in ("leased", "acknowledged"):
        if known.status == "leased":
            known.lease_expires_at = max(expires, known.lease_expires_at or expires)
        return _leased(known, request.minimum)
    if known is not None and known.status == "expired" and _take_up_again(ctx, known):
        known.lease_expires_at = expires
        return _leased(known, request.minimum)
    free = repository.free_rows(ctx.session, model_type, ctx.now)
    # One that cannot be read stays free, so that it holds up no training, and is not lost to one.
    rows = _readable(ctx, free)
    unreadable = len(free) - len(rows)
    if unreadable:
        logger.warning("%d corrections of %s cannot be read: left out", unreadable, model_type)
    # Confirmations travel along, and are no reason to train: the model says so already.
    claims = [row.feedback_type for row in rows]
    corrections = len(claims) - claims.count(FeedbackType.CONFIRMED)
    if corrections < max(1, request.minimum):
        return LeaseResult(
            outcome="too_few", count=corrections, minimum=request.minimum, unreadable=unreadable
        )
    batch = _seal(
        ctx,
        model_type,
        rows,
        {feedback.id: feedback.user_id for feedback, _, _ in free},
    )
    batch.run_id, batch.status, batch.lease_expires_at = request.run_id, "leased", expires
    batch.version = batch.reason = None
    ctx.session.flush()
    audit.record(
        ctx,
        "batch.lease",
        batch.id,
        "",
        run=request.run_id,
        count=batch.count,
        decrypted=True,
        **({"unreadable": unreadable} if unreadable else {}),
    )
    return _leased(batch, request.minimum, unreadable)


def _leased(batch: Batch, minimum: int, unreadable: int = 0) -> LeaseResult:
    read = BatchRead.model_validate(batch)
    return LeaseResult(
        outcome="leased", count=batch.count, minimum=minimum, unreadable=unreadable, batch=read
    )


def rows_anew(ctx: Context, batch_id: str) -> list[SnapshotRow]:
    """Return what a batch contains, from the database: its file cannot be read.

    A message that was erased, or cannot be read, is left out. The trust of the reporters is that of
    today.
    """
    return _readable(ctx, repository.rows(ctx.session, batch_id))


def _readable(ctx: Context, rows: Sequence[tuple[Feedback, Scan, User]]) -> list[SnapshotRow]:
    return [
        _row(ctx, feedback, scan, user, text)
        for feedback, scan, user in rows
        if scan.text_sealed and (text := ctx.ring.shown(scan.text_sealed, scan.id)) is not None
    ]


def _row(ctx: Context, feedback: Feedback, scan: Scan, user: User, text: str) -> SnapshotRow:
    assert feedback.approved_at is not None
    return SnapshotRow(
        **shared_columns(feedback),
        id=feedback.id,
        text=text,
        label=feedback.corrected_label,
        predicted=feedback.original_label,
        reporter=user.pseudonym,
        campaign=feedback.campaign_id or feedback.id,
        trust=user.record.trust(ctx.now),
        scanned_at=scan.created_at,
        approved_at=feedback.approved_at,
        model_version=scan.model_version,
    )


def _seal(
    ctx: Context,
    model_type: str,
    rows: list[SnapshotRow],
    owners: dict[str, str],
) -> Batch:
    """Write the snapshot first, then the batch: a crash in between leaves only an unused file."""
    content = parquet(rows)
    stored = put_file(ctx.services.artifacts, f"batches/{model_type}", content, ".parquet")
    batch_id = f"{model_type}-{stored.digest.removeprefix('sha256:')[:16]}"
    batch = ctx.session.get(Batch, batch_id)
    if batch is None:
        batch = Batch(id=batch_id, model_type=model_type, status="leased", run_id="")
        ctx.session.add(batch)
    # One that was sealed before, and let go, is what its id says again: rows may have been taken
    # out of it since. It is the newest of its run now.
    batch.digest, batch.uri, batch.count = stored.digest, stored.key, len(rows)
    batch.sealed_at = ctx.now
    ctx.session.execute(delete(BatchItem).where(BatchItem.batch_id == batch_id))
    ctx.session.flush()
    ctx.session.add_all(
        BatchItem(batch_id=batch_id, feedback_id=row.id, user_id=owners[row.id]) for row in rows
    )
    ctx.session.flush()
    repository.take(ctx.session, batch_id, [row.id for row in rows])
    return batch


def _take_up_again(ctx: Context, batch: Batch) -> bool:
    member_ids = repository.members(ctx.session, batch.id)
    free = {
        feedback_id
        for at in range(0, len(member_ids), 500)
        for feedback_id in ctx.session.scalars(
            select(Feedback.id).where(
                Feedback.id.in_(member_ids[at : at + 500]),
                Feedback.batch_id.is_(None),
                Feedback.status == "approved",
            )
        )
    }
    if len(free) < len(member_ids):
        return False
    repository.take(ctx.session, batch.id, list(member_ids))
    batch.status = "leased"
    return True


def expire(ctx: Context) -> None:
    """End expired leases and free their rows."""
    for batch in repository.overdue(ctx.session, ctx.now):
        repository.let_go(ctx.session, batch.id)
        batch.status = "expired"
        batch.reason = f"the lease of run {batch.run_id} ran out"
    ctx.session.flush()


def _held(ctx: Context, batch_id: str, run_id: str) -> Batch:
    model_type = batch_id.rpartition("-")[0]
    lock(ctx.session, f"batches {model_type}")
    expire(ctx)
    batch = ctx.session.get(Batch, batch_id, with_for_update=True)
    if batch is None:
        raise NotFound.of("batch", batch_id, "`GET /api/v2/batches` lists them.")
    if batch.run_id != run_id:
        raise LeaseLost(
            f"The batch {batch_id} belongs to run {batch.run_id}, not to {run_id}. "
            "Lease a batch of your own.",
            holder=batch.run_id,
        )
    return batch


def renew(ctx: Context, batch_id: str, request: RenewRequest) -> BatchRead:
    """Extend a lease. Has no effect on an acknowledged batch.

    Raises:
        NotFound: There is no such batch.
        LeaseLost: The lease has expired, was released, or belongs to another run.
    """
    batch = _held(ctx, batch_id, request.run_id)
    if batch.status == "leased":
        batch.lease_expires_at = ctx.now + timedelta(seconds=request.lease_seconds)
    elif batch.status != "acknowledged":
        raise _lost(batch)
    return BatchRead.model_validate(batch)


def acknowledge(ctx: Context, batch_id: str, request: AckRequest) -> BatchRead:
    """Acknowledge that a version was trained on a batch. Idempotent.

    Raises:
        NotFound: There is no such batch or version.
        LeaseLost: The lease has ended, or the batch was acknowledged for another version.
    """
    batch = _held(ctx, batch_id, request.run_id)
    if batch.status == "acknowledged" and batch.version == request.version:
        return BatchRead.model_validate(batch)
    if batch.status != "leased":
        raise _lost(batch)
    version = ctx.session.get(Version, request.version)
    if version is None or version.model_type != batch.model_type:
        raise NotFound.of(
            f"{batch.model_type} version",
            request.version,
            "Register it before the batch is acknowledged.",
        )
    batch.status, batch.version, batch.acknowledged_at = "acknowledged", version.name, ctx.now
    batch.lease_expires_at = None
    audit.record(ctx, "batch.ack", batch.id, "", run=request.run_id, version=version.name)
    return BatchRead.model_validate(batch)


def release(ctx: Context, batch_id: str, request: ReleaseRequest) -> BatchRead:
    """Release the rows of a leased batch. Idempotent.

    Raises:
        NotFound: There is no such batch.
        LeaseLost: The batch is acknowledged, or belongs to another run.
    """
    batch = _held(ctx, batch_id, request.run_id)
    if batch.status == "acknowledged":
        raise _lost(batch)
    if batch.status == "leased":
        repository.let_go(ctx.session, batch.id)
        batch.status, batch.reason, batch.lease_expires_at = "released", request.reason, None
        audit.record(ctx, "batch.release", batch.id, request.reason, run=request.run_id)
    return BatchRead.model_validate(batch)


def _lost(batch: Batch) -> LeaseLost:
    named = f" by version {batch.version}" if batch.version else ""
    return LeaseLost(
        f"The batch {batch.id} is {batch.status}{named}. Lease again: the same run gets the same "
        "batch while its rows are free.",
        batchStatus=batch.status,
    )


def listing(
    ctx: Context, paging: PageRequest, model_type: str | None, status: str | None
) -> tuple[list[BatchRead], Pagination]:
    """Return one page of batches, oldest first."""
    query = select(Batch)
    if model_type:
        query = query.where(Batch.model_type == model_type)
    if status:
        query = query.where(Batch.status == status)
    order = Sorted(Batch.id, Batch.id, kind=str)
    rows, pagination = fetch_page(ctx.session, query, order, paging)
    return [BatchRead.model_validate(row) for row in rows], pagination


def one(ctx: Context, batch_id: str) -> BatchRead:
    """Return a batch. Raises `NotFound`."""
    batch = ctx.session.get(Batch, batch_id)
    if batch is None:
        raise NotFound.of("batch", batch_id, "`GET /api/v2/batches` lists them.")
    return BatchRead.model_validate(batch)
