"""Sessions of the pages: a signed cookie, and a CSRF token in every form.

The cookie is signed, not stored: HttpOnly, SameSite=Lax (Strict would lose it on the way back from
an OIDC issuer), Secure over HTTPS. Forms carry a token derived from the session; a form of another
site knows neither.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from itsdangerous import BadSignature, URLSafeSerializer
from starlette.requests import Request
from starlette.responses import Response

from api.kit.auth import Principal
from api.kit.tokens import Role
from api.pages.settings import PagesSettings

COOKIE = "shield_session"
SHORT_COOKIE = "shield_sign_in"
SHORT_SECONDS = 600
"""Longest time for signing in at the OIDC issuer."""


@dataclass(frozen=True)
class Visit:
    """The session of one browser; `principal` is `None` before the sign-in."""

    nonce: str
    principal: Principal | None = None
    until: float = 0.0
    """Unix time, seconds."""


class Sessions:
    """Reads and writes the session cookie."""

    def __init__(self, secret: str, settings: PagesSettings) -> None:
        # Not the token secret itself: a cookie must never pass for a token, nor the other way
        # round.
        key = hmac.new(secret.encode(), b"antispam-shield pages", sha256).hexdigest()
        self._key = key.encode()
        self._signer = URLSafeSerializer(key, salt="session")
        self._short = URLSafeSerializer(key, salt="sign-in")
        self._settings = settings

    def read(self, request: Request, now: datetime) -> Visit | None:
        """Return the session of the cookie; `None` if there is no valid one."""
        try:
            kept: dict[str, Any] = self._signer.loads(request.cookies.get(COOKIE, ""))
            visit = Visit(str(kept["nonce"]), until=float(kept["until"]))
            if kept.get("sub") is not None:
                roles = frozenset(Role(role) for role in kept["roles"])
                visit = Visit(visit.nonce, Principal(str(kept["sub"]), roles), visit.until)
        except (BadSignature, KeyError, ValueError, TypeError):
            return None
        return visit if now.timestamp() < visit.until else None

    def begin(
        self,
        request: Request,
        response: Response,
        now: datetime,
        principal: Principal | None = None,
        until: float | None = None,
    ) -> Visit:
        """Set the cookie of a new session. A sign-in always gets a new nonce, against fixation.

        Args:
            request: Tells whether the connection is HTTPS.
            response: Receives the cookie.
            now: The current time.
            principal: The signed-in user, if any.
            until: Expiry of the proof of identity, in Unix seconds; the session ends no later.
        """
        end = now.timestamp() + self._settings.session_seconds
        visit = Visit(secrets.token_urlsafe(16), principal, min(end, until or end))
        kept: dict[str, Any] = {"nonce": visit.nonce, "until": visit.until}
        if principal is not None:
            kept |= {"sub": principal.subject, "roles": sorted(principal.roles)}
        self._put(
            request, response, COOKIE, self._signer.dumps(kept), int(visit.until - now.timestamp())
        )
        return visit

    def end(self, response: Response) -> None:
        """Sign out."""
        response.delete_cookie(COOKIE, path="/")

    def form_token(self, visit: Visit) -> str:
        """Return the value of the form field `csrf` in this session."""
        return hmac.new(self._key, f"form {visit.nonce}".encode(), sha256).hexdigest()

    def noted(self, visit: Visit, feedback_id: str) -> str:
        """Return the proof that the audit log has an entry about this session reading an item."""
        return hmac.new(
            self._key, f"noted {visit.nonce} {feedback_id}".encode(), sha256
        ).hexdigest()

    def holds(self, visit: Visit, token: str) -> bool:
        """Return whether a form token belongs to this session."""
        return hmac.compare_digest(self.form_token(visit).encode(), token.encode())

    def keep(self, request: Request, response: Response, state: dict[str, Any]) -> None:
        """Store the state of an OIDC sign-in in a cookie until the redirect back."""
        self._put(request, response, SHORT_COOKIE, self._short.dumps(state), SHORT_SECONDS)

    def kept(self, request: Request) -> dict[str, Any]:
        """Return the state stored by `keep`; empty if there is no valid one."""
        try:
            state: dict[str, Any] = self._short.loads(request.cookies.get(SHORT_COOKIE, ""))
        except BadSignature:
            return {}
        return state

    def _put(self, request: Request, response: Response, name: str, value: str, age: int) -> None:
        response.set_cookie(
            name,
            value,
            max_age=age,
            path="/",
            httponly=True,
            samesite="lax",
            secure=self._settings.secure_cookies or request.url.scheme == "https",
        )
