"""`/feedback`: send feedback, list the caller's own, export approved corrections."""

import re
from typing import Annotated, Literal

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import StreamingResponse

from api.feedback import export, service, writing
from api.kit.auth import Principal
from api.kit.context import (
    AdminWrite,
    AnyRead,
    AnyWrite,
    Services,
    get_services,
)
from api.kit.idempotency import IdempotencyKey
from api.kit.lanes import Headers, Lane
from api.kit.paging import Paged
from api.kit.queries import Since
from shield.wire import Envelope, ExportRead, FeedbackRead, FeedbackRequest

router = APIRouter(prefix="/feedback", tags=["feedback"])
_Thanks = Envelope[FeedbackRead]
_KEY = re.compile(rb"[\x21-\x7e]{1,255}")
"""Longest key that the fast path accepts; as in `IdempotencyKey`."""


@router.post("", status_code=201, response_model=Envelope[FeedbackRead])
async def send_feedback(
    body: FeedbackRequest, ctx: AnyWrite, key: IdempotencyKey = None
) -> Response:
    """Report whether a verdict was right."""
    answer = await _sent(ctx.services, ctx.principal, body, key)
    return Response(answer, status_code=201, media_type="application/json")


async def _sent(
    services: Services, principal: Principal, body: FeedbackRequest, key: str | None
) -> bytes:
    asked = writing.Asked(services, principal, body, key)
    read = await services.together.put(writing.write, asked)
    if read is None:
        read = await run_sync(service.submit_alone, services, principal, body, key)
    answer = _Thanks(message="Thanks for your feedback!", data=read)
    return answer.model_dump_json(by_alias=True).encode()


def _read(body: bytes, headers: Headers) -> tuple[FeedbackRequest, str | None] | None:
    key = headers.get(b"idempotency-key")
    if key is not None and not _KEY.fullmatch(key):
        return None
    try:
        request = FeedbackRequest.model_validate_json(body)
    except ValueError:
        return None
    return request, None if key is None else key.decode()


async def _serve(
    services: Services, principal: Principal, asked: tuple[FeedbackRequest, str | None]
) -> bytes:
    return await _sent(services, principal, *asked)


lane = Lane("/feedback", _read, _serve)
"""The fast path of `send_feedback`."""


@router.get("")
def own_feedback(ctx: AnyRead, paging: Paged) -> Envelope[list[FeedbackRead]]:
    """List the caller's feedback, newest first."""
    rows, pagination = service.own(ctx, paging)
    return Envelope[list[FeedbackRead]](data=rows, pagination=pagination)


@router.get(
    "/export",
    response_model=ExportRead,
    responses={
        200: {
            "description": "Approved corrections, oldest approval first.",
            "content": {"text/csv": {"schema": {"type": "string"}}},
        }
    },
)
def export_feedback(
    ctx: AdminWrite,
    services: Annotated[Services, Depends(get_services)],
    form: Annotated[Literal["json", "csv"], Query(alias="format")] = "json",
    since: Since = None,
    batch_id: Annotated[
        str | None,
        Query(alias="batchId", pattern=r"^[a-z]{1,16}-[0-9a-f]{16}$", description="One batch."),
    ] = None,
) -> Response:
    """Export approved corrections. Has no side effects on them."""
    export.announce(ctx, form, since, batch_id)
    chunks = export.rows(services, since, batch_id)
    if form == "csv":
        name = f"feedback-{batch_id or 'all'}.csv"
        return StreamingResponse(
            export.as_csv(chunks),
            media_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )
    answer = export.as_json(chunks, batch_id)
    return Response(answer.model_dump_json(by_alias=True), media_type="application/json")
