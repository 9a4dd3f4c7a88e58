"""`/review/queues`: named queues, what waits in each, and for admins who works where."""

import re
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import ValidationError

from api.kit.paths import QUEUE_NAME, QueuePath
from api.kit.tokens import Role
from api.pages.desk.finding import LANGUAGES
from api.pages.desk.pages import render
from api.pages.visitor import CheckedForm, Reading, Visitor, Who, Writing
from api.review import assigning, queues, sorting
from api.review.views import TEAM
from shield.errors import Invalid
from shield.reasons.tactics import book
from shield.wire import QueueRequest

router = APIRouter(prefix="/review/queues")
Many = Annotated[tuple[str, ...], Form()]


@router.get("")
def show(request: Request, visitor: Who, ctx: Reading) -> Response:
    """Show the queues."""
    sorting.sort(ctx)
    told = queues.overview(ctx).model_copy(update={"unsorted": sorting.unsorted(ctx)})
    return render(
        request,
        visitor,
        "queues.html",
        told=told,
        languages=LANGUAGES,
        tactics={name: one.name for name, one in book().tactics.items()},
        known=[*assigning.people(ctx), *(TEAM + name for name in ctx.settings.review_teams)],
    )


@router.post("", dependencies=[CheckedForm])
def put(
    visitor: Who,
    ctx: Writing,
    name: Annotated[str, Form(max_length=64, pattern=QUEUE_NAME)],
    languages: Many = (),
    tactics: Many = (),
    members: Annotated[str, Form(max_length=20_000)] = "",
    reason: Annotated[str, Form(max_length=1024)] = "",
) -> Response:
    """Make a queue, or change one."""
    _admin(visitor)
    names = [one for one in re.split(r"[,\n]\s*", members.strip()) if one.strip()]
    try:
        request = QueueRequest(
            languages=list(languages),
            tactics=list(tactics),
            members=[one.strip() for one in names],
            reason=reason.strip() or None,
        )
    except ValidationError as fault:
        raise Invalid(f"{fault.errors()[0]['loc'][0]}: {fault.errors()[0]['msg']}.") from fault
    queues.put(ctx, name.strip(), request)
    return RedirectResponse("/review/queues", 303)


@router.post("/{name}/remove", dependencies=[CheckedForm])
def remove(
    name: QueuePath,
    visitor: Who,
    ctx: Writing,
    reason: Annotated[str, Form(min_length=1, max_length=1024)],
) -> Response:
    """Delete a queue."""
    _admin(visitor)
    queues.remove(ctx, name, reason.strip())
    return RedirectResponse("/review/queues", 303)


def _admin(visitor: Visitor) -> None:
    visitor.principal.require(Role.ADMIN)
