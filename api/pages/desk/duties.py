"""Forms of the queue's page: assign items, mute reporters, save views."""

from typing import Annotated
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.kit.paths import PathId
from api.pages.desk.pages import render
from api.pages.visitor import CheckedForm, Reading, Who, Writing
from api.review import assigning, saved
from api.review.views import View
from shield.errors import Invalid
from shield.wire import AssignRequest, MuteRequest

router = APIRouter(prefix="/review")
Reason = Annotated[str, Form(min_length=1, max_length=1024)]
Query = Annotated[str, Form(max_length=2000)]


@router.post("/items/{feedback_id}/assign", dependencies=[CheckedForm])
def assign(
    feedback_id: PathId,
    ctx: Writing,
    to: Annotated[str, Form(max_length=128)] = "",
    reason: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Assign an item and its campaign to somebody, or to nobody."""
    request = AssignRequest(to=to.strip() or None, reason=reason.strip() or None)
    assigning.assign(ctx, feedback_id, request)
    return RedirectResponse(f"/review?item={quote(feedback_id)}", 303)


@router.post("/items/{feedback_id}/mute", dependencies=[CheckedForm])
def mute(
    feedback_id: PathId,
    ctx: Writing,
    reason: Reason,
    days: Annotated[int, Form(ge=1, le=365)] = 30,
) -> Response:
    """Mute an item's reporter for some days."""
    assigning.mute(ctx, feedback_id, MuteRequest(days=days, reason=reason.strip()))
    return RedirectResponse("/review/muted", 303)


@router.get("/muted")
def muted(request: Request, visitor: Who, ctx: Reading) -> Response:
    """Show the muted reporters."""
    return render(request, visitor, "muted.html", reporters=assigning.muted(ctx))


@router.post("/muted/{pseudonym}/unmute", dependencies=[CheckedForm])
def unmute(pseudonym: PathId, ctx: Writing, reason: Reason) -> Response:
    """Unmute a reporter."""
    assigning.unmute(ctx, pseudonym, reason.strip())
    return RedirectResponse("/review/muted", 303)


@router.post("/views", dependencies=[CheckedForm])
def save(
    ctx: Writing, name: Annotated[str, Form(min_length=1, max_length=64)], query: Query = ""
) -> Response:
    """Save the current view under a name."""
    if not name.strip():
        raise Invalid("name: a view needs a name that can be read.")
    saved.save(ctx, name.strip(), _own(query))
    return RedirectResponse(f"/review?{_own(query)}", 303)


@router.post("/views/{view_id}/remove", dependencies=[CheckedForm])
def remove(view_id: PathId, ctx: Writing) -> Response:
    """Delete a saved view."""
    saved.remove(ctx, view_id)
    return RedirectResponse("/review", 303)


def _own(query: str) -> str:
    """Return the members of a query string that belong to a view, encoded again."""
    known = {*View.__dataclass_fields__, "model"}
    return urlencode([(name, value) for name, value in parse_qsl(query) if name in known])
