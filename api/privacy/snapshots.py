"""Remove rows from sealed batches.

Snapshots are immutable except for erasure and withdrawal. The batch keeps its id; its file, digest
and count become those of the remaining rows.
"""

import io
import logging
from collections.abc import Sequence
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq
from sqlalchemy import delete, select, update

from api.batches import service as batches
from api.batches.snapshot import SCHEMA, table, write
from api.kit.context import Context
from api.kit.database import lock
from api.privacy import datasets
from api.tables import Batch, BatchItem, Feedback
from shield.artifacts import ArtifactStore
from shield.artifacts.content import digest_of, put_file
from shield.errors import NotFound
from shield.labels import ModelType

logger = logging.getLogger("api.privacy")

_CHUNK = 500


def remove_rows(ctx: Context, feedback_ids: Sequence[str], reason: str) -> list[str]:
    """Remove corrections from every batch that contains them; return these batches.

    Ends the lease of such a batch; its run must restart with the remaining rows.
    """
    for model_type in ModelType:
        lock(ctx.session, f"batches {model_type}")
    touched: set[str] = set()
    for at in range(0, len(feedback_ids), _CHUNK):
        touched.update(
            ctx.session.scalars(
                select(BatchItem.batch_id)
                .where(BatchItem.feedback_id.in_(feedback_ids[at : at + _CHUNK]))
                .distinct()
            )
        )
    types = ctx.session.scalars(select(Batch.model_type).where(Batch.id.in_(sorted(touched))))
    # What such a run has built holds the earlier batches too.
    datasets.forget_later(ctx, datasets.runs_at_work(ctx, set(types)))
    for batch_id in sorted(touched):
        _rewrite(ctx, ctx.session.get_one(Batch, batch_id), set(feedback_ids), reason)
    return sorted(touched)


def _rewrite(ctx: Context, batch: Batch, gone: set[str], reason: str) -> None:
    store, old = ctx.services.artifacts, batch.uri
    members = set(
        ctx.session.scalars(select(BatchItem.feedback_id).where(BatchItem.batch_id == batch.id))
    )
    kept = _table(ctx, batch).filter(pc.invert(pc.field("id").isin(sorted(gone))))
    stored = put_file(store, f"batches/{batch.model_type}", write(kept), ".parquet")
    batch.uri, batch.digest, batch.count = stored.key, stored.digest, kept.num_rows
    if batch.status == "leased":
        batch.status, batch.reason, batch.lease_expires_at = "released", reason, None
        ctx.session.execute(
            update(Feedback).where(Feedback.batch_id == batch.id).values(batch_id=None)
        )
    leaving = sorted(gone & members)
    for at in range(0, len(leaving), _CHUNK):
        chunk = leaving[at : at + _CHUNK]
        ctx.session.execute(
            delete(BatchItem).where(
                BatchItem.batch_id == batch.id, BatchItem.feedback_id.in_(chunk)
            )
        )
        ctx.session.execute(
            update(Feedback)
            .where(Feedback.id.in_(chunk), Feedback.batch_id == batch.id)
            .values(batch_id=None)
        )
    ctx.session.flush()
    if old != stored.key:
        # Only once the new file is named in the database: a crash leaves the old file as an
        # orphan, which the next sweep removes.
        ctx.after_commit.append(lambda: store.delete(old))


def _table(ctx: Context, batch: Batch) -> Any:
    """Return the rows of a batch; of a file that was changed, those that the database still has.

    An erasure must not wait until somebody restores such a file, nor take all others' rows along.
    """
    try:
        content = ctx.services.artifacts.get(batch.uri)
    except NotFound:
        return SCHEMA.empty_table()  # somebody has removed the file: nothing is left to remove
    if digest_of(content) == batch.digest:
        return pq.read_table(io.BytesIO(content), schema=SCHEMA)
    made = table(batches.rows_anew(ctx, batch.id))
    logger.error(
        "the snapshot %s was changed or cut off: %d of the %d rows of batch %s are made anew",
        batch.uri,
        made.num_rows,
        batch.count,
        batch.id,
    )
    return made


def sweep(ctx: Context) -> int:
    """Remove snapshot files without a batch (left by a crash); return their number."""
    store: ArtifactStore = ctx.services.artifacts
    removed = 0
    for model_type in ModelType:
        lock(ctx.session, f"batches {model_type}")  # nobody seals meanwhile
        named = set(
            ctx.session.scalars(select(Batch.uri).where(Batch.model_type == model_type.value))
        )
        for key in list(store.list(f"batches/{model_type}/")):
            if key not in named:
                store.delete(key)
                removed += 1
    return removed
