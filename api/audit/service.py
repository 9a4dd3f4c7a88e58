"""Write, read and verify the audit log."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from api.audit import heads
from api.kit.context import Context
from api.kit.database import lock
from api.kit.ids import new_id
from api.kit.outbox import post
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.kit.tokens import Role
from api.tables import AuditRow, Webhook
from shield.wire import AuditEntry, Pagination

GENESIS = "0" * 64
SEED = "gold.seed"
"""Action of an entry about a gold item added to the queue."""
ASK = "golden.ask"
"""Action of an entry about golden labels added to the queue."""
_BLIND = (SEED, ASK)
"""Actions whose time would show reviewers which items are not reports."""
OWN_READ = "message.own-read"
"""Action of an entry about a user who reads their own messages."""
EVENT = "event"
"""Kind of outbox work that sends an entry to webhooks."""
_DECISIONS = ("feedback.approve", "feedback.reject", "feedback.undo", "feedback.withdraw")
_NOUNS = frozenset({"known", "version", "rollout", "contest", "feed"})
_CHUNK = 1000


@dataclass(frozen=True)
class AuditVerdict:
    """The result of a verification of the hash chain."""

    entries: int
    head: str
    """Hash of the newest entry; store it elsewhere to detect a truncated log later."""
    broken_at: int | None
    """Sequence of the first entry that fails verification, or `None`."""
    problem: str
    published: int | None = None
    """Sequence of the newest published head that was compared with the log."""
    published_at: datetime | None = None


def record(ctx: Context, action: str, subject: str, reason: str = "", **details: Any) -> AuditRow:
    """Append an entry in the transaction of the change that it records; notify webhooks."""
    if _is_event(action) and ctx.session.scalar(select(exists(select(Webhook.id)))):
        data = {"subject": subject, "actor": ctx.user, "reason": reason, **details}
        post(ctx, EVENT, new_id(ctx.now), action=action, data=data)
    return append(
        ctx.session,
        at=ctx.now,
        actor=ctx.user,
        action=action,
        subject=subject,
        reason=reason,
        details=details,
    )


def _is_event(action: str) -> bool:
    return action in _DECISIONS or action.partition(".")[0] in _NOUNS


def record_later(
    ctx: Context,
    action: str,
    subject: str,
    reason: str,
    *,
    actor: str | None = None,
    **details: Any,
) -> None:
    """Append an entry about a read in a separate transaction, before the response is sent.

    The transaction of the read itself takes no write lock.
    """

    def write() -> None:
        with ctx.services.sessions() as session:
            append(
                session,
                at=ctx.now,
                actor=actor or ctx.user,
                action=action,
                subject=subject,
                reason=reason,
                details=details,
            )
            session.commit()

    ctx.after_commit.append(write)


def append(
    session: Session,
    *,
    at: datetime,
    actor: str,
    action: str,
    subject: str,
    reason: str,
    details: dict[str, Any],
) -> AuditRow:
    """Append one entry under a lock, because each hash covers the previous one."""
    lock(session, "audit log")
    last = session.execute(
        select(AuditRow.sequence, AuditRow.hash).order_by(AuditRow.sequence.desc()).limit(1)
    ).first()
    row = AuditRow(
        sequence=last.sequence + 1 if last else 1,
        at=at,
        actor=actor,
        action=action,
        subject=subject,
        reason=reason,
        details=details,
        previous_hash=last.hash if last else GENESIS,
    )
    row.hash = hash_of(row)
    session.add(row)
    session.flush()
    return row


def hash_of(row: AuditRow) -> str:
    """Return the SHA-256 of an entry and the previous entry's hash."""
    content = [
        row.sequence,
        row.at.isoformat(),
        row.actor,
        row.action,
        row.subject,
        row.reason,
        row.details,
        row.previous_hash,
    ]
    canonical = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def verify(ctx: Context, expected_head: str | None = None) -> AuditVerdict:
    """Verify the whole chain, and compare it with the published heads.

    Args:
        ctx: The request's context.
        expected_head: An earlier hash that the log must still contain.

    Raises:
        Unavailable: The artifact store does not answer, so the heads cannot be read.
    """
    try:
        known = heads.published(ctx.services.artifacts, ctx.ring)
    except heads.UnsignedHead as fault:
        return replace(
            check_chain(_rows(ctx.session), expected_head), broken_at=0, problem=str(fault)
        )
    return check_chain(_rows(ctx.session), expected_head, known)


def _rows(session: Session) -> Iterator[AuditRow]:
    yield from session.scalars(
        select(AuditRow).order_by(AuditRow.sequence).execution_options(yield_per=_CHUNK)
    )


def check_chain(
    rows: Iterable[AuditRow],
    expected_head: str | None = None,
    published: Sequence[heads.Head] = (),
) -> AuditVerdict:
    """Verify entries in order: sequence without gaps, hashes, links and published heads."""
    count, previous, head_met = 0, GENESIS, expected_head in (None, GENESIS)
    last = published[-1] if published else None
    for row in rows:
        count += 1
        problem = ""
        if row.sequence != count:
            problem = f"entry {count} is missing"
        elif row.previous_hash != previous:
            problem = f"entry {count} does not follow entry {count - 1}"
        elif row.hash != hash_of(row):
            problem = f"entry {count} was changed"
        elif heads.differing(published, row.sequence, row.hash) is not None:
            problem = f"entry {count} is not the one that was published"
        if problem:
            return AuditVerdict(count, previous, count, problem)
        previous = row.hash
        head_met = head_met or row.hash == expected_head
    if not head_met:
        return AuditVerdict(
            count, previous, count + 1, "the log was shortened: the expected head is not in it"
        )
    if last is not None and last.sequence > count:
        return AuditVerdict(
            count,
            previous,
            count + 1,
            f"the log was shortened: entry {last.sequence} is missing, which was published at "
            f"{last.at:%Y-%m-%d %H:%M} UTC",
            last.sequence,
            last.at,
        )
    return AuditVerdict(
        count, previous, None, "", last.sequence if last else None, last.at if last else None
    )


def page(
    ctx: Context, paging: PageRequest, action: str | None, subject: str | None
) -> tuple[list[AuditEntry], Pagination]:
    """Return one page of the log, newest first.

    Entries about gold items and golden labels are shown to admins only, since reviewers must not
    know which items these are. Entries about users who read their own messages are shown only when
    that action is requested, because there are so many.
    """
    query = select(AuditRow)
    if Role.ADMIN not in ctx.principal.roles:
        query = query.where(AuditRow.action.not_in(_BLIND))
    if action:
        query = query.where(AuditRow.action == action)
    else:
        query = query.where(AuditRow.action != OWN_READ)
    if subject:
        query = query.where(AuditRow.subject == subject)
    order = Sorted(AuditRow.sequence, AuditRow.hash, descending=True, kind=int)
    rows, pagination = fetch_page(ctx.session, query, order, paging)
    return [AuditEntry.model_validate(row) for row in rows], pagination
