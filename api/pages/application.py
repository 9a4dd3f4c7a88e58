"""The pages as a sub-application of the API, with its own errors and headers and the same state."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Receive, Scope, Send

from api.kit.problems import database_problem
from api.pages import contest, login, oidc, phone
from api.pages.assets import AssetFiles, Assets
from api.pages.desk import (
    audit,
    contests,
    duties,
    known,
    models,
    queue,
    queues,
    rollouts,
    runs,
    statistics,
)
from api.pages.headers import PageHeaders
from api.pages.sessions import Sessions
from api.pages.settings import PagesSettings
from api.pages.templates import Templates
from api.pages.visitor import sign_in_url, wants_fragment
from shield.errors import Invalid, NotFound, ShieldError, Unauthenticated, to_problem

PREFIXES = ("/app", "/contest", "/review", "/login", "/logout", "/assets")


class PagesRoute(BaseRoute):
    """Routes requests below `PREFIXES` to the pages; unlike `Mount` it keeps the full path."""

    def __init__(self, pages: ASGIApp) -> None:
        self._pages = pages

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Match requests for a page."""
        path = scope.get("path", "")
        ours = path == "/" or any(
            path == prefix or path.startswith(f"{prefix}/") for prefix in PREFIXES
        )
        return (Match.FULL if scope["type"] == "http" and ours else Match.NONE), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await self._pages(scope, receive, send)


def create_pages(app: FastAPI, settings: PagesSettings) -> FastAPI:
    """Build the pages' application.

    Raises:
        Misconfigured: The settings would admit anybody.
    """
    settings.check()
    pages = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    pages.state = app.state  # the services of the API, made once
    app.state.pages_settings = settings
    app.state.page_sessions = Sessions(app.state.services.settings.secret(), settings)
    app.state.assets = Assets()
    app.state.templates = Templates(app.state.assets)
    app.state.oidc = oidc.client(settings)
    pages.add_middleware(PageHeaders)
    desk = (queue, queues, duties, known, contests, statistics, models, rollouts, runs, audit)
    for room in (login, oidc, phone, contest, *desk):
        pages.include_router(room.router)
    pages.router.routes.append(AssetFiles(app.state.assets))

    pages.add_exception_handler(ShieldError, _as_shield_error(lambda error: error))
    pages.add_exception_handler(RequestValidationError, _as_shield_error(_invalid))
    pages.add_exception_handler(HTTPException, _as_shield_error(_not_found))
    pages.add_exception_handler(SQLAlchemyError, _as_shield_error(_database_problem))

    @pages.get("/")
    def front_door() -> RedirectResponse:
        """Redirect to the dashboard."""
        return RedirectResponse("/review", 307)

    return pages


def _as_shield_error(
    read: Callable[[Exception], Exception],
) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Respond to an error with a page, a redirect to the sign-in, or a problem document."""

    async def handle(request: Request, raised: Exception) -> Response:
        error = read(raised)
        assert isinstance(error, ShieldError)
        if wants_fragment(request):
            return JSONResponse(
                to_problem(error), error.status, media_type="application/problem+json"
            )
        signing_in = request.url.path.startswith("/login")
        if isinstance(error, Unauthenticated) and request.method == "GET" and not signing_in:
            return RedirectResponse(sign_in_url(request), 303)
        templates: Templates = request.app.state.templates
        return templates.page(request, "error.html", status=error.status, error=error)

    return handle


def _invalid(raised: Exception) -> ShieldError:
    assert isinstance(raised, RequestValidationError)
    first = raised.errors()[0]
    where = ".".join(str(part) for part in first["loc"][1:])
    return Invalid(f"{where}: {first['msg']}. Go back and correct it.")


def _not_found(raised: Exception) -> ShieldError:
    assert isinstance(raised, HTTPException)
    if raised.status_code == 404:
        return NotFound("There is no such page. Start again at /review, or at /app on a phone.")
    error = Invalid(f"{raised.detail}.")
    error.status = raised.status_code  # type: ignore[misc]  # this one answer only
    return error


def _database_problem(raised: Exception) -> ShieldError:
    assert isinstance(raised, SQLAlchemyError)
    return database_problem(raised)
