"""`/audit`: read the audit log and verify its hash chain."""

from typing import Annotated

from fastapi import APIRouter, Query

from api.audit import service
from api.kit.context import ReviewerRead
from api.kit.paging import Paged
from shield.wire import AuditCheck, AuditEntry, Envelope

router = APIRouter(prefix="/audit", tags=["audit"])


@router.get("")
def entries(
    ctx: ReviewerRead,
    paging: Paged,
    action: Annotated[str | None, Query(pattern=r"^[a-z.-]{1,64}$")] = None,
    subject: Annotated[str | None, Query(pattern=r"^[A-Za-z0-9._:-]{1,128}$")] = None,
) -> Envelope[list[AuditEntry]]:
    """List the audit log, newest first."""
    rows, pagination = service.page(ctx, paging, action, subject)
    return Envelope[list[AuditEntry]](data=rows, pagination=pagination)


@router.get("/verify")
def verify(
    ctx: ReviewerRead,
    head: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")] = None,
) -> Envelope[AuditCheck]:
    """Verify the hash chain, and compare it with the published heads.

    `head` is an earlier hash that the log must still contain.
    """
    verdict = service.verify(ctx, head)
    return Envelope[AuditCheck](
        message="The log is whole." if verdict.broken_at is None else verdict.problem,
        data=AuditCheck.model_validate(verdict),
    )
