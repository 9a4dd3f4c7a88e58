"""Sign in by OpenID Connect (Authlib): authorization code with PKCE."""

from typing import Annotated, Any

from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.starlette_client import OAuth
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import RedirectResponse, Response
from joserfc.errors import JoseError

from api.kit.auth import MACHINES, Principal, principal_of
from api.kit.context import Services, get_services
from api.kit.tokens import Role
from api.pages.sessions import Sessions
from api.pages.settings import PagesSettings
from api.pages.visitor import safe_next
from shield.errors import NotFound, Unauthenticated, Unavailable

router = APIRouter()

# Authlib calls the issuer through httpx2 where that is installed, else through httpx.
try:
    from httpx2 import HTTPError
except ImportError:
    from httpx import HTTPError  # type: ignore[assignment]  # either, never both


def client(settings: PagesSettings) -> Any:
    """Return the client of the configured issuer, or `None` if OIDC is off. Sends no request."""
    if settings.oidc_discovery_url is None:
        return None
    return OAuth().register(
        name="issuer",
        server_metadata_url=settings.oidc_discovery_url,
        client_id=settings.oidc_client_id,
        client_secret=settings.client_secret(),
        client_kwargs={"scope": settings.oidc_scope, "code_challenge_method": "S256"},
    )


def _configured(request: Request) -> Any:
    if request.app.state.oidc is None:
        raise NotFound(
            "OIDC is not set up here. Set SHIELD_PAGES_OIDC_DISCOVERY_URL, or sign in at /login."
        )
    return request.app.state.oidc


def _redirect_uri(request: Request) -> str:
    settings: PagesSettings = request.app.state.pages_settings
    base = settings.public_url or str(request.base_url)
    return f"{base.rstrip('/')}/login/oidc/back"


def _away(fault: HTTPError) -> Unavailable:
    return Unavailable(
        f"The OIDC issuer does not answer ({type(fault).__name__}). Try again in a moment."
    )


@router.get("/login/oidc")
async def go(
    request: Request, next: Annotated[str | None, Query(max_length=2000)] = None
) -> Response:
    """Redirect the browser to the issuer."""
    issuer = _configured(request)
    # Authlib keeps state, nonce and PKCE verifier in a dict; ours travels in a signed cookie.
    request.scope["session"] = {}
    try:
        response: Response = await issuer.authorize_redirect(request, _redirect_uri(request))
    except HTTPError as fault:
        raise _away(fault) from fault
    sessions: Sessions = request.app.state.page_sessions
    sessions.keep(request, response, {"dance": request.scope["session"], "next": safe_next(next)})
    return response


@router.get("/login/oidc/back")
async def come_back(
    request: Request, services: Annotated[Services, Depends(get_services)]
) -> Response:
    """Verify the issuer's response and start a session."""
    issuer = _configured(request)
    sessions: Sessions = request.app.state.page_sessions
    kept = sessions.kept(request)
    request.scope["session"] = kept.get("dance", {})
    try:
        answer = await issuer.authorize_access_token(request)
        claims = await _claims(issuer, answer)
    except (OAuthError, JoseError) as fault:
        raise Unauthenticated(
            f"The sign-in did not succeed ({fault.error}). Start again at /login."
        ) from fault
    except HTTPError as fault:
        raise _away(fault) from fault
    principal = _principal(
        claims,
        request.app.state.pages_settings,
        services.settings.oidc_roles_claim,
    )
    next_url = safe_next(kept.get("next"))
    # A phone is connected by a button on the sign-in page: a mere link must not do it.
    response = RedirectResponse("/login?next=/app" if next_url == "/app" else next_url, 303)
    sessions.begin(request, response, services.clock(), principal)
    response.delete_cookie("shield_sign_in", path="/")
    return response


async def _claims(issuer: Any, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the issuer's claims about the user.

    By the standard the ID token contains the subject, and the userinfo endpoint returns e-mail
    address and roles.

    Raises:
        Unauthenticated: The userinfo's subject differs (OpenID Connect Core 1.0, 5.3.2).
    """
    claims: dict[str, Any] = dict(answer.get("userinfo") or {})
    metadata = await issuer.load_server_metadata()
    if "userinfo_endpoint" not in metadata:
        return claims
    more = dict(await issuer.userinfo(token=answer))
    if more.get("sub") != claims.get("sub"):
        raise Unauthenticated(
            "The sign-in did not succeed: the issuer's userinfo endpoint returned another subject. "
            "Start again at /login."
        )
    merged = {**more, **claims}
    if "email" in claims and more.get("email") != claims["email"]:
        # `email_verified` of one response says nothing about the address in the other.
        merged["email_verified"] = claims.get("email_verified")
    return merged


def _principal(claims: dict[str, Any], settings: PagesSettings, roles_claim: str) -> Principal:
    """Return the user with roles from the issuer's claim and from the settings' lists."""
    named = principal_of(claims, roles_claim)
    names = {named.subject}
    if claims.get("email_verified") is True:
        names.add(str(claims.get("email")))
    roles = named.roles | {Role(role) for role in settings.roles_of(names)}
    return Principal(named.subject, roles - MACHINES)
