"""Authentication and roles of callers."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jwt

from api.kit.database import Clock
from api.kit.tokens import FORMER, Role, mint
from api.settings import ApiSettings
from shield.errors import Forbidden, Unauthenticated

_MOST_KEPT = 10_000
"""Most verified tokens in the cache."""

_MOST_SAID = 120
"""Letters of what is told of a token that is refused."""

Verify = Callable[[str], "Principal | None"]
"""Verifies tokens of one kind: returns the principal, or `None` for a token of another kind."""


@dataclass(frozen=True)
class Principal:
    """A caller whose token was verified."""

    subject: str
    roles: frozenset[Role]

    def require(self, *roles: Role) -> None:
        """Check that the caller has one of `roles`.

        Raises:
            Forbidden: The caller has none of them.
        """
        if not self.roles.intersection(roles):
            needed = " or ".join(role.value for role in roles)
            raise Forbidden(
                f"This needs the role {needed}; {self.subject!r} has "
                f"{', '.join(sorted(self.roles)) or 'none'}. Ask an admin for a token with that "
                "role (`shieldctl token`)."
            )


class Tokens:
    """Verifies and issues bearer tokens."""

    def __init__(self, settings: ApiSettings, clock: Clock, others: list[Verify] | None = None):
        self._secret = settings.secret()
        self._issuer = settings.jwt_issuer
        self._audience = settings.jwt_audience
        self._clock = clock
        self._others = others or []
        self._own: dict[str, tuple[Principal, float]] = {}
        """Cache of verified own tokens with their expiry; the most recent last."""

    @property
    def asks_others(self) -> bool:
        """Return whether verification may call an OIDC issuer or the cluster, which blocks."""
        return bool(self._others)

    def issue(self, subject: str, roles: list[str], lifetime_seconds: float) -> str:
        """Issue an own token for an authenticated subject."""
        return mint(
            self._secret,
            subject,
            roles,
            now=self._clock(),
            lifetime_seconds=lifetime_seconds,
            issuer=self._issuer,
            audience=self._audience,
        )

    def known(self, token: str) -> Principal | None:
        """Return the cached principal of an own token, if it was verified and has not expired.

        Own tokens cannot be revoked before they expire, so the result may be cached.
        """
        cached = self._own.get(token)
        if cached is None or cached[1] <= self._clock().timestamp():
            return None
        return cached[0]

    def verify(self, token: str) -> Principal:
        """Verify a token and return its principal.

        Raises:
            Unauthenticated: Signature, expiry, issuer, audience or claims are invalid.
        """
        principal = self.known(token)
        if principal is None and self._others:
            principal = self._known_to_others(token)
        if principal is not None:
            return principal
        try:
            claims = jwt.decode(
                token,
                self._secret,
                algorithms=["HS256"],
                issuer=self._issuer,
                audience=self._audience,
                options={"require": ["sub", "exp"], "verify_exp": False, "verify_iat": False},
            )
        except jwt.PyJWTError as fault:
            raise _refused(shown(fault)) from fault
        if float(claims["exp"]) <= self._clock().timestamp():
            raise _refused("it has expired")
        principal = principal_of(claims, "roles", own=True)
        while len(self._own) >= _MOST_KEPT:
            self._own.pop(next(iter(self._own), ""), None)
        self._own[token] = principal, float(claims["exp"])
        return principal

    def _known_to_others(self, token: str) -> Principal | None:
        try:
            issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        except jwt.PyJWTError as fault:
            raise _refused("it is not a token") from fault
        if issuer == self._issuer:
            return None
        asked = (other(token) for other in self._others)
        return next((principal for principal in asked if principal is not None), None)


MACHINES = frozenset({Role.PIPELINE, Role.OPERATOR})
"""Roles of the system's own processes. Accepted only from own tokens and from service accounts of
the cluster: an external issuer's groups must not grant them."""


def principal_of(claims: dict[str, Any], roles_claim: str, *, own: bool = False) -> Principal:
    """Read subject and roles from verified claims.

    Unknown roles are ignored, and so are machine roles unless the token is an `own` one.

    Raises:
        Unauthenticated: The subject is missing or invalid, or an own token has a retired role.
    """
    claim: Any = claims
    for part in roles_claim.split("."):
        claim = claim.get(part, []) if isinstance(claim, dict) else []
    allowed = {role.value for role in Role if own or role not in MACHINES}
    named = claim if isinstance(claim, list) else [claim]
    words = {role for role in named if isinstance(role, str)}
    roles = words & allowed
    for former in sorted(words & FORMER.keys()) if own else ():
        now = " and ".join(role.value for role in FORMER[former])
        raise _refused(f"the role {former!r} was replaced by the roles {now}, apart")
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= 128 or "\0" in subject:
        raise _refused("its subject is not a name of 1 to 128 characters")
    return Principal(subject, frozenset(map(Role, roles)))


def shown(fault: Exception) -> str:
    """Return what a library says of a token, which may repeat anything that the token says."""
    return str(fault).encode("ascii", "replace").decode()[:_MOST_SAID]


def _refused(why: str) -> Unauthenticated:
    return Unauthenticated(f"The token is refused: {why}. Get a new one with `shieldctl token`.")
