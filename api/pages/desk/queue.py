"""`/review`: show the review queue, and decide items."""

import hmac
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from api.kit.context import Context, Services, get_services, open_context
from api.kit.paging import Paged
from api.kit.paths import PathId
from api.pages import explanation
from api.pages.desk import finding
from api.pages.desk.pages import read_model, render
from api.pages.sessions import Sessions
from api.pages.traits import traits
from api.pages.visitor import CheckedForm, Reading, Visitor, Who, Writing, wants_fragment
from api.review import assigning, claims, decisions, guide, queue, saved, undoing
from api.review.search import Searched
from api.review.views import TEAM, View, Viewed
from shield.errors import Invalid
from shield.labels import ModelType
from shield.reasons.tactics import book
from shield.wire import Decision, PendingItem, ReviewRequest

router = APIRouter(prefix="/review")
Model = Annotated[ModelType | None, Depends(read_model)]


@router.get("")
def show(
    request: Request,
    visitor: Who,
    ctx: Reading,
    paging: Paged,
    model: Model,
    view: Viewed,
    item: Annotated[str, Query(max_length=128)] = "",
    did: Annotated[str, Query(max_length=128)] = "",
) -> Response:
    """Show the queue and one item of it."""
    own = finding.lanes(ctx)
    view = finding.begun(request, own, view)
    items, pagination, searched = _page(ctx, paging, model, view)
    chosen = next((one for one in items if one.id == item), None)
    if chosen is None:
        chosen = queue.one(ctx, item) if item else (items[0] if items else None)
    shown = items if chosen is None or chosen in items else [chosen, *items]
    queue.note_reading(ctx, shown)
    return render(
        request,
        visitor,
        "queue.html",
        model=model,
        items=shown,
        pagination=pagination,
        item=chosen,
        traits=traits(chosen.scan.text) if chosen else [],
        did=did,
        noted=_noted(request, visitor),
        query=_query(model, view),
        view=view,
        searched=searched,
        languages=finding.LANGUAGES,
        lanes=own,
        given=finding.given(ctx),
        views=saved.views_of(ctx),
        **_choices(ctx),
    )


def _choices(ctx: Context) -> dict[str, Any]:
    """Return the options of the decision form."""
    return {
        "tactics": {name: one.name for name, one in book().tactics.items()},
        "reasons": ctx.settings.review_reasons,
        "people": assigning.people(ctx),
        "teams": [TEAM + name for name in ctx.settings.review_teams],
    }


def _query(model: ModelType | None, view: View) -> str:
    """Return the query string of the current view, for links."""
    return "&".join(part for part in (f"model={model}" if model else "", view.query) if part)


@router.get("/waiting")
def waiting(visitor: Who, ctx: Reading, model: Model, view: Viewed) -> Response:
    """Return the number of waiting items, polled by an open page."""
    return JSONResponse({"total": queue.waiting(ctx, queue.Filters(model_type=model), view)})


@router.get("/entries")
def entries(
    request: Request, visitor: Who, ctx: Reading, paging: Paged, model: Model, view: Viewed
) -> Response:
    """Return the next lines of the queue."""
    items, pagination, searched = _page(ctx, paging, model, view)
    queue.note_reading(ctx, items)
    return render(
        request,
        visitor,
        "more.html",
        model=model,
        items=items,
        pagination=pagination,
        item=None,
        query=_query(model, view),
        searched=searched,
        noted=_noted(request, visitor),
    )


def _noted(request: Request, visitor: Visitor) -> Callable[[str], str]:
    sessions: Sessions = request.app.state.page_sessions
    return lambda feedback_id: sessions.noted(visitor.visit, feedback_id)


def _page(
    ctx: Context, paging: Any, model: ModelType | None, view: View
) -> tuple[list[PendingItem], Any, Searched]:
    return queue.page(ctx, paging, queue.Filters(model_type=model), by_campaign=True, view=view)


@router.get("/items/{feedback_id}")
def one(
    request: Request,
    feedback_id: PathId,
    visitor: Who,
    ctx: Reading,
    model: Model,
    noted: Annotated[str, Query(max_length=64)] = "",
) -> Response:
    """Return one item as a fragment, shown beside the queue."""
    if not wants_fragment(request):
        return RedirectResponse(f"/review?item={feedback_id}", 303)
    item = queue.one(ctx, feedback_id)
    # The line that led here has been noted with all its texts; once is enough.
    if not hmac.compare_digest(noted.encode(), _noted(request, visitor)(feedback_id).encode()):
        queue.note_reading(ctx, [item])
    shown = traits(item.scan.text)
    return render(
        request, visitor, "item.html", model=model, item=item, traits=shown, **_choices(ctx)
    )


@router.get("/guide")
def guidelines(request: Request, visitor: Who, ctx: Reading) -> Response:
    """Return guidelines and decided examples, as a fragment or a page."""
    name = "guide.html" if wants_fragment(request) else "guide_page.html"
    return render(request, visitor, name, guide=guide.guide(ctx))


@router.get("/items/{feedback_id}/explanation")
def explain(
    feedback_id: PathId, visitor: Who, services: Annotated[Services, Depends(get_services)]
) -> Response:
    """Show which parts of the message raised the model's scam score."""
    with open_context(services, visitor.principal, reads=True) as ctx:
        item = queue.one(ctx, feedback_id)
    # No transaction is open while the model server works.
    model_type = item.model_type
    # Always the stable version: which one has answered is nothing that a reviewer should know.
    said = explanation.explain(
        item.scan.text, lambda texts: services.router.probabilities(model_type, None, texts)
    )
    spans = [{"start": s.start, "end": s.end, "weight": s.weight} for s in said.spans]
    return JSONResponse({"text": said.text, "spans": spans, "note": said.note})


@router.post("/items/{feedback_id}/decision", dependencies=[CheckedForm])
def decide(
    request: Request,
    feedback_id: PathId,
    ctx: Writing,
    model: Annotated[str, Form(max_length=16)] = "",
    action: Annotated[str, Form(max_length=16)] = "",
    scope: Annotated[str, Form(max_length=16)] = "item",
    notes: Annotated[str, Form(max_length=2000)] = "",
    tactic: Annotated[str, Form(max_length=64)] = "",
    reason: Annotated[str, Form(max_length=64)] = "",
    label: Annotated[str, Form(max_length=32)] = "",
    shown: Annotated[str, Form(max_length=20_000)] = "",
) -> Response:
    """Decide an item or its campaign: scam or harmless; `skip` decides nothing."""
    if action == "skip":
        claims.release(ctx, feedback_id)
        if wants_fragment(request):
            return JSONResponse({"message": "Skipped.", "undoable": False})
        return _back(model)
    if action not in set(Decision) or scope not in ("item", "campaign"):
        raise Invalid("action: scam, harmless or skip; scope: item or campaign.")
    decision = ReviewRequest(
        decision=Decision(action),
        tactic=(action == Decision.SCAM and tactic) or None,
        reason=reason or None,
        scope="campaign" if scope == "campaign" else "item",
        shown=shown.split() if scope == "campaign" else None,
        notes=notes.strip() or None,
        # What the page showed: a reporter may have changed it since.
        corrected_label=label or None,
    )
    decided = decisions.decide(ctx, feedback_id, decision)
    if wants_fragment(request):
        return JSONResponse({"message": decided.message, "undoable": decided.covered > 0})
    return _back(model, did=feedback_id)


@router.post("/items/{feedback_id}/undo", dependencies=[CheckedForm])
def undo(
    request: Request,
    feedback_id: PathId,
    ctx: Writing,
    model: Annotated[str, Form(max_length=16)] = "",
) -> Response:
    """Undo a decision."""
    undoing.undo(ctx, feedback_id, None)
    if wants_fragment(request):
        return JSONResponse({"message": "The decision is taken back.", "undoable": False})
    return RedirectResponse(f"/review?item={feedback_id}", 303)


@router.post("/items/{feedback_id}/claim", dependencies=[CheckedForm])
def claim(feedback_id: PathId, ctx: Writing) -> Response:
    """Claim the item for the visitor; a repeated claim extends it."""
    claims.claim(ctx, feedback_id)
    seconds = ctx.settings.claim_seconds
    return JSONResponse({"message": "Claimed.", "undoable": False, "seconds": seconds})


def _back(model: str, did: str = "") -> Response:
    query = "&".join(
        f"{name}={value}"
        for name, value in (("model", model if model in set(ModelType) else ""), ("did", did))
        if value
    )
    return RedirectResponse(f"/review?{query}" if query else "/review", 303)
