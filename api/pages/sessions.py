"""Who looks at a page: a signed cookie, and the token that every form of that session carries.

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
"""How long somebody may take at the OIDC issuer."""


@dataclass(frozen=True)
class Visit:
    """One browser's session; `principal` is `None` until somebody has signed in."""

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
        """Return the visit that the cookie names; `None` when there is none that holds."""
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
        """Set the cookie of a new visit. A sign-in always gets a new nonce, so none can be planted.

        Args:
            request: Tells whether the browser came by HTTPS.
            response: Gets the cookie.
            now: The present.
            principal: Who signed in, if anybody.
            until: When the proof of identity ends, Unix seconds; the session ends no later.
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
        """Return what each form of this visit carries in its field `csrf`."""
        return hmac.new(self._key, f"form {visit.nonce}".encode(), sha256).hexdigest()

    def noted(self, visit: Visit, feedback_id: str) -> str:
        """Return the proof that this visit's reading of an item stands in the audit log."""
        return hmac.new(
            self._key, f"noted {visit.nonce} {feedback_id}".encode(), sha256
        ).hexdigest()

    def holds(self, visit: Visit, token: str) -> bool:
        """Tell whether a form belongs to this visit."""
        return hmac.compare_digest(self.form_token(visit).encode(), token.encode())

    def keep(self, request: Request, response: Response, state: dict[str, Any]) -> None:
        """Keep what the OIDC dance needs between going and coming back."""
        self._put(request, response, SHORT_COOKIE, self._short.dumps(state), SHORT_SECONDS)

    def kept(self, request: Request) -> dict[str, Any]:
        """Return what `keep` kept; empty when nothing holds."""
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
