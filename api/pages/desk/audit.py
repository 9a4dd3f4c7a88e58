"""`/review/audit`: the audit log."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from api.audit import service
from api.kit.paging import Paged
from api.pages.desk.pages import render
from api.pages.visitor import Reading, Who

router = APIRouter(prefix="/review/audit")

ACTIONS = (
    "batch.ack", "batch.lease", "batch.release", "feedback.approve", "feedback.assign",
    "feedback.export", "feedback.look", "feedback.reject", "feedback.undo", "feedback.withdraw",
    "gold.seed", "keys.reseal", "known.checking", "known.confirmed", "known.ended",
    "known.expired", "known.refused", "known.undone", "message.read", "message.retention",
    "message.search", "reporter.mute", "reporter.unmute", "rollout.install", "rollout.pause",
    "rollout.promote", "rollout.promote-request", "rollout.reject", "rollout.request",
    "rollout.resume", "rollout.start", "rollout.step", "rollout.undo", "scan.erase", "user.erase",
    "version.register", "version.taint",
)  # fmt: skip
"""Actions suggested in the filter; it accepts any action."""


@router.get("")
def show(
    request: Request,
    visitor: Who,
    ctx: Reading,
    paging: Paged,
    action: Annotated[str, Query(max_length=64)] = "",
    subject: Annotated[str, Query(max_length=128)] = "",
    verify: Annotated[str, Query(max_length=1)] = "",
) -> Response:
    """Show the log, newest first; verify its chain on request."""
    entries, pagination = service.page(ctx, paging, action.strip() or None, subject.strip() or None)
    return render(
        request,
        visitor,
        "audit.html",
        entries=entries,
        pagination=pagination,
        actions=ACTIONS,
        action=action.strip(),
        subject=subject.strip(),
        verdict=service.verify(ctx) if verify == "1" else None,
    )
