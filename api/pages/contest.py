"""`/contest`: the page for senders whose honest messages are flagged. Needs no account."""

from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Depends, Form, Request
from fastapi.responses import Response
from pydantic import ValidationError

from api.contests import service
from api.contests.endpoints import SENDER, admit
from api.kit.context import Services, get_services, open_context
from api.pages.templates import Templates
from shield.errors import Invalid, NotFound, ShieldError
from shield.labels import ScanType
from shield.wire import ContestRequest

router = APIRouter(prefix="/contest")
AnyServices = Annotated[Services, Depends(get_services)]
Typed = Annotated[str, Form(max_length=64)]


@router.get("")
def show(request: Request, services: AnyServices) -> Response:
    """Show the form, and the field for a receipt."""
    if not services.settings.contests:
        raise NotFound("Messages cannot be contested here. Ask whoever warned their recipients.")
    return _page(request)


@router.post("")
async def send(
    request: Request,
    services: AnyServices,
    scan_type: Annotated[ScanType, Form()],
    text: Annotated[str, Form(max_length=20_000)] = "",
    reason: Annotated[str, Form(max_length=2_000)] = "",
    contact: Annotated[str, Form(max_length=320)] = "",
) -> Response:
    """Take a contest, and show its receipt."""
    try:
        if not text.strip() or not reason.strip():
            raise Invalid("Write the message, and why it is honest.")
        asked = ContestRequest(
            scan_type=scan_type,
            text=text,
            reason=reason.strip(),
            contact=contact.strip() or None,
        )
        await run_sync(lambda: admit(services, request))
        taken = await service.contest(services, asked)
    except ValidationError as fault:
        first = fault.errors()[0]
        problem = Invalid(f"{first['loc'][-1]}: {first['msg']}.")
        return _page(request, problem=problem, written={"text": text, "reason": reason})
    except ShieldError as problem:
        return _page(request, problem=problem, written={"text": text, "reason": reason})
    return _page(request, answer=taken)


@router.post("/answer")
def read(request: Request, services: AnyServices, receipt: Typed = "") -> Response:
    """Show how the contest of a receipt stands."""
    try:
        admit(services, request, reads=True)
        with open_context(services, SENDER, reads=True) as ctx:
            answer = service.by_receipt(ctx, receipt)
    except ShieldError as problem:
        return _page(request, problem=problem)
    return _page(request, answer=answer, receipt=receipt)


@router.post("/withdraw")
def withdraw(request: Request, services: AnyServices, receipt: Typed = "") -> Response:
    """Erase the contest of a receipt with its message."""
    try:
        admit(services, request, reads=True)
        with open_context(services, SENDER) as ctx:
            service.withdraw(ctx, receipt)
    except ShieldError as problem:
        return _page(request, problem=problem)
    return _page(request, erased=True)


def _page(request: Request, *, problem: ShieldError | None = None, **values: Any) -> Response:
    templates: Templates = request.app.state.templates
    shown: dict[str, Any] = {"answer": None, "receipt": "", "erased": False, "written": {}}
    status = problem.status if problem else 200
    return templates.page(
        request,
        "contest.html",
        status=status,
        problem=problem,
        types=service.scan_types(),
        **{**shown, **values},
    )
