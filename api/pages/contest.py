"""`/contest`: the page for senders whose honest messages are flagged. Needs no account.

It speaks the reader's language, or the one that is chosen by `?lang=`.
"""

import math
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.contests import service
from api.contests.endpoints import SENDER, admit
from api.kit.context import Services, get_services, open_context
from api.pages.templates import Templates
from shield.errors import Forbidden, Invalid, NotFound, RateLimited, ShieldError, Unavailable
from shield.wire import ContestRequest

router = APIRouter(prefix="/contest")
AnyServices = Annotated[Services, Depends(get_services)]
Typed = Annotated[str, Form()]
"""Checked by `ContestRequest`, so that a refusal keeps what was written."""
Lang = Annotated[str, Query(max_length=16)]
_LONGEST_RECEIPT = 64


@router.get("")
def show(request: Request, services: AnyServices, lang: Lang = "") -> Response:
    """Show the form, and the field for a receipt."""
    if not services.settings.contests:
        return _page(request, lang, problem=NotFound("Contests are off."))
    return _page(request, lang)


@router.post("")
async def send(
    request: Request,
    services: AnyServices,
    lang: Lang = "",
    scan_type: Typed = "",
    text: Typed = "",
    reason: Typed = "",
    contact: Typed = "",
) -> Response:
    """Take a contest, and show its receipt."""
    written = {"scan_type": scan_type, "text": text, "reason": reason, "contact": contact}
    try:
        _check_origin(request)
        await run_sync(lambda: admit(services, request))
        taken = await service.contest(services, _asked(written))
    except ShieldError as problem:
        return _page(request, lang, problem=problem, written=written)
    return _page(request, lang, answer=taken)


@router.post("/answer")
def read(request: Request, services: AnyServices, lang: Lang = "", receipt: Typed = "") -> Response:
    """Show how the contest of a receipt stands."""
    try:
        _check_origin(request)
        admit(services, request, reads=True)
        with open_context(services, SENDER, reads=True) as ctx:
            answer = service.by_receipt(ctx, receipt[:_LONGEST_RECEIPT])
    except ShieldError as problem:
        return _page(request, lang, problem=problem)
    return _page(request, lang, answer=answer, receipt=receipt)


@router.post("/withdraw")
def withdraw(
    request: Request, services: AnyServices, lang: Lang = "", receipt: Typed = ""
) -> Response:
    """Erase the contest of a receipt with its message."""
    try:
        _check_origin(request)
        admit(services, request, reads=True)
        with open_context(services, SENDER) as ctx:
            service.withdraw(ctx, receipt[:_LONGEST_RECEIPT])
    except ShieldError as problem:
        return _page(request, lang, problem=problem)
    return _page(request, lang, erased=True)


def _check_origin(request: Request) -> None:
    """Refuse forms of other sites, which could use up what their visitors may send."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        raise Forbidden("This form did not come from here.")


def _asked(written: dict[str, str]) -> ContestRequest:
    """Return what the form asks for.

    Raises:
        Invalid: Something is missing, too long, or cannot be stored.
    """
    reason = written["reason"].strip()
    if not written["text"].strip() or not reason:
        raise Invalid("Write the message, and why it is honest.", incomplete=True)
    try:
        return ContestRequest.model_validate(
            {
                "scanType": written["scan_type"],
                "text": written["text"],
                "reason": reason,
                "contact": written["contact"].strip() or None,
            }
        )
    except ValidationError as fault:
        first = fault.errors()[0]
        raise Invalid(f"{first['loc'][-1]}: {first['msg']}.") from fault


def _refusal(problem: ShieldError, receipt: bool) -> str:
    """Return the name of the page's sentence for a refusal; empty if it has none."""
    if isinstance(problem, RateLimited):
        return "busy"
    if isinstance(problem, NotFound):
        return "noReceipt" if receipt else "off"
    if isinstance(problem, Forbidden):
        return "foreign"
    if isinstance(problem, Unavailable):
        return "away"
    if isinstance(problem, Invalid):
        return "incomplete" if problem.extra.get("incomplete") else "invalid"
    return ""


def _page(
    request: Request, lang: str, *, problem: ShieldError | None = None, **values: Any
) -> Response:
    templates: Templates = request.app.state.templates
    services: Services = request.app.state.services
    spoken = templates.words.asked_by(request, lang)
    wait = getattr(problem, "retry_after_seconds", None) or 0
    shown: dict[str, Any] = {"answer": None, "receipt": "", "erased": False, "written": {}}
    page = templates.page(
        request,
        "contest.html",
        status=problem.status if problem else 200,
        problem=problem,
        refusal=_refusal(problem, request.url.path != router.prefix) if problem else "",
        parts={"minutes": str(math.ceil(wait / 60)), "days": f"{services.settings.inbox_days:g}"},
        open=services.settings.contests,
        lang=lang,
        spoken=spoken,
        languages=templates.words.languages(),
        **{**shown, **values},
    )
    page.headers["Content-Language"] = spoken.language
    page.headers["Vary"] = "Accept-Language"
    if wait:
        page.headers["Retry-After"] = str(math.ceil(wait))
    return page
