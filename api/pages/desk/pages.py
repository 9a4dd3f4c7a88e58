"""Shared by the pages of the dashboard: rendering, and evaluation reports from the store."""

from typing import Annotated, Any

from fastapi import Query, Request
from fastapi.responses import HTMLResponse, Response

from api.kit.context import Context
from api.pages.headers import REPORT_POLICY
from api.pages.templates import Templates
from api.pages.visitor import Visitor
from shield.errors import NotFound
from shield.labels import ModelType


def read_model(model: Annotated[str, Query(max_length=16)] = "") -> ModelType | None:
    """Parse the selected model type; an empty or unknown one means "all"."""
    return ModelType(model) if model in set(ModelType) else None


def render(
    request: Request, visitor: Visitor, name: str, *, model: ModelType | None = None, **values: Any
) -> Response:
    """Render a page of the dashboard."""
    templates: Templates = request.app.state.templates
    shown = {"notice": None, "notice_is_bad": False, "model": model or "", **values}
    return templates.page(request, f"review/{name}", visitor=visitor, **shown)


def report(ctx: Context, uri: str | None, of: str) -> Response:
    """Return an evaluation report. A pipeline step wrote its HTML, so it is shown in a sandbox.

    Raises:
        NotFound: There is no report, or it was removed from the store.
    """
    if uri is None:
        raise NotFound(f"{of} has no report. Runs that came as far as `evaluate` have one.")
    html = ctx.services.artifacts.get(uri)
    return HTMLResponse(html, headers={"Content-Security-Policy": REPORT_POLICY})
