"""Sign in and out."""

from typing import Annotated

import jwt
from fastapi import APIRouter, Depends, Form, Query, Request
from fastapi.responses import RedirectResponse, Response

from api.kit.context import Services, get_services
from api.kit.tokens import Role
from api.pages.sessions import Sessions, Visit
from api.pages.settings import PagesSettings
from api.pages.templates import Templates
from api.pages.visitor import CheckedForm, get_visit, safe_next
from shield.errors import Forbidden, ShieldError, Unauthenticated

router = APIRouter()


def allows_token(settings: PagesSettings, services: Services) -> bool:
    """Return whether sign-in by access token is enabled."""
    if settings.token_login is None:
        return services.settings.embedded
    return settings.token_login


@router.get("/login")
def show(
    request: Request,
    services: Annotated[Services, Depends(get_services)],
    visit: Annotated[Visit | None, Depends(get_visit)],
    next: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    """Show the sign-in page."""
    return _form(request, services, visit, next, problem=None)


@router.post("/login", dependencies=[CheckedForm])
def sign_in(
    request: Request,
    services: Annotated[Services, Depends(get_services)],
    visit: Annotated[Visit | None, Depends(get_visit)],
    token: Annotated[str, Form(max_length=8192)],
    next: Annotated[str | None, Form(max_length=2000)] = None,
) -> Response:
    """Sign in by an access token."""
    settings: PagesSettings = request.app.state.pages_settings
    if not allows_token(settings, services):
        raise Forbidden("Signing in by token is off here. Use one of the ways that /login offers.")
    address = services.limiter.address(request)
    services.limiter.check(f"sign-in {address}", address)
    try:
        principal = services.tokens.verify(token.strip())
        principal.require(Role.REVIEWER, Role.ADMIN)
    except (Unauthenticated, Forbidden) as refused:
        return _form(request, services, visit, next, problem=refused)
    sessions: Sessions = request.app.state.page_sessions
    response = RedirectResponse(safe_next(next), 303)
    sessions.begin(request, response, services.clock(), principal, _expiry(token.strip()))
    return response


@router.post("/logout", dependencies=[CheckedForm])
def sign_out(request: Request) -> Response:
    """End the session."""
    sessions: Sessions = request.app.state.page_sessions
    response = RedirectResponse("/login", 303)
    sessions.end(response)
    return response


def _expiry(token: str) -> float | None:
    """Return the expiry of a verified token, in Unix seconds."""
    claims = jwt.decode(token, options={"verify_signature": False})
    # An issuer may write a number that no clock reaches, and that no float holds.
    return float(min(claims["exp"], 2**40)) if "exp" in claims else None


def _form(
    request: Request,
    services: Services,
    visit: Visit | None,
    next_url: str | None,
    problem: ShieldError | None,
) -> Response:
    settings: PagesSettings = request.app.state.pages_settings
    sessions: Sessions = request.app.state.page_sessions
    templates: Templates = request.app.state.templates
    now = services.clock()
    # A form needs a session to be bound to, so a visit begins before anybody has signed in.
    start = Response()
    known = visit or sessions.begin(request, start, now)
    response = templates.page(
        request,
        "login.html",
        status=problem.status if problem else 200,
        form_token=sessions.form_token(known),
        next=safe_next(next_url),
        by_token=allows_token(settings, services),
        by_oidc=settings.oidc_name if settings.oidc_discovery_url else None,
        by_proxy=settings.trusted_header is not None,
        phone_of=known.principal.subject
        if known.principal and safe_next(next_url) == "/app"
        else None,
        signed_in_as=known.principal.subject if known.principal else None,
        problem=problem.message if problem else None,
    )
    if visit is None:
        response.headers["set-cookie"] = start.headers["set-cookie"]
    return response
