"""`/inbox`: notices about the caller's reports and corrected verdicts."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic.json_schema import SkipJsonSchema

from api.inbox import service
from api.kit.context import AnyRead, AnyWrite
from api.kit.paging import Paged
from api.kit.readers import AskedBy
from shield.wire import Envelope, InboxCursor, InboxRead, ReadMarks, Unread

router = APIRouter(prefix="/inbox", tags=["inbox"])


@router.get("")
def inbox(
    ctx: AnyRead,
    paging: Paged,
    reader: AskedBy,
    after: Annotated[
        InboxCursor | SkipJsonSchema[None],
        Query(description="`cursor` of an earlier answer: only what is newer."),
    ] = None,
) -> Envelope[InboxRead]:
    """Return the caller's notices, newest first, and a cursor for polling newer ones."""
    inbox, pagination = service.inbox(ctx, paging, after, reader)
    return Envelope[InboxRead](data=inbox, pagination=pagination)


@router.post("/read")
def mark_read(body: ReadMarks, ctx: AnyWrite) -> Envelope[Unread]:
    """Mark notices of the caller as read."""
    return Envelope[Unread](message="Saved.", data=Unread(unread=service.mark(ctx, body)))
