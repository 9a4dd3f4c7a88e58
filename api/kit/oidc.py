"""Verify external tokens: of an OIDC issuer (by JWKS) and of the cluster (by TokenReview)."""

import threading
import time
from collections.abc import Callable
from typing import Any

import jwt
from jwt import PyJWKClient, PyJWKClientConnectionError

from api.kit.auth import Principal, Verify, principal_of, shown
from api.kit.tokens import Role
from api.settings import ApiSettings
from shield.errors import Misconfigured, Unauthenticated, Unavailable

_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]
"""Public-key algorithms only: with HS256 the public key would be accepted as the secret."""
_LEEWAY_SECONDS = 30
_REMEMBERED_SECONDS = 60.0
_MOST_REMEMBERED = 1000


def verifiers(settings: ApiSettings) -> list[Verify]:
    """Return the verifiers of external tokens that the settings configure.

    Raises:
        Misconfigured: A JWKS URL without an issuer, or a service account without a known role.
    """
    checks: list[Verify] = []
    if settings.jwks_url is not None:
        if settings.oidc_issuer is None:
            raise Misconfigured(
                "SHIELD_API_JWKS_URL is set, but not SHIELD_API_OIDC_ISSUER: tokens of any issuer "
                "that shares the keys would be accepted. Set both."
            )
        checks.append(
            by_jwks(
                settings.jwks_url,
                issuer=settings.oidc_issuer,
                audience=settings.jwt_audience,
                roles_claim=settings.oidc_roles_claim,
            )
        )
    if settings.token_review:
        checks.append(
            TokenReviews(
                dict(_account(entry) for entry in settings.service_accounts),
                settings.service_account_audience,
            )
        )
    return checks


def _account(entry: str) -> tuple[str, Role]:
    account, _, role = entry.partition("=")
    try:
        return f"system:serviceaccount:{account.strip()}", Role(role.strip())
    except ValueError as error:
        raise Misconfigured(
            f"SHIELD_API_SERVICE_ACCOUNTS gives {account.strip()!r} the role {role.strip()!r}, "
            "which does not exist. Write `namespace:name=pipeline` for the account of the steps "
            "and `namespace:name=operator` for the operator's."
        ) from error


def by_jwks(url: str, *, issuer: str, audience: str, roles_claim: str) -> Verify:
    """Return a verifier of one issuer's tokens; fetches, caches and renews its keys."""
    keys = PyJWKClient(url, cache_keys=True, lifespan=300, timeout=5)

    def verify(token: str) -> Principal | None:
        if jwt.decode(token, options={"verify_signature": False}).get("iss") != issuer:
            return None
        try:
            claims = jwt.decode(
                token,
                keys.get_signing_key_from_jwt(token).key,
                algorithms=_ALGORITHMS,
                issuer=issuer,
                audience=audience,
                leeway=_LEEWAY_SECONDS,
                options={"require": ["sub", "exp"]},
            )
        except PyJWKClientConnectionError as fault:
            raise Unavailable(
                f"The keys of the token issuer {issuer} cannot be fetched. Try again in a moment.",
                retry_after_seconds=5,
            ) from fault
        except (OSError, ValueError) as fault:  # what the address answers is no list of keys
            raise Unavailable(
                f"The keys of the token issuer {issuer} cannot be read ({type(fault).__name__}).",
                retry_after_seconds=5,
            ) from fault
        except jwt.PyJWTError as fault:
            raise Unauthenticated(
                f"The token is refused: {shown(fault)}. Sign in again with {issuer}."
            ) from fault
        return principal_of(claims, roles_claim)

    return verify


class TokenReviews:
    """Verifies service-account tokens by the cluster's TokenReview; caches for a minute."""

    def __init__(
        self,
        roles: dict[str, Role],
        audience: str,
        *,
        review: Callable[[str], Any] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._roles = roles
        self._audience = audience
        self._review = review or self._ask_cluster
        self._monotonic = monotonic
        self._known: dict[str, tuple[float, Principal | None]] = {}
        self._lock = threading.Lock()

    def __call__(self, token: str) -> Principal | None:
        """Return the service account, or `None` if the cluster does not know the token."""
        now = self._monotonic()
        with self._lock:
            known = self._known.get(token)
        if known is not None and known[0] > now:
            return known[1]
        principal = self._principal(self._review(token))
        with self._lock:
            if len(self._known) >= _MOST_REMEMBERED:
                self._known.clear()
            self._known[token] = (now + _REMEMBERED_SECONDS, principal)
        return principal

    def _principal(self, status: Any) -> Principal | None:
        if not status.authenticated or self._audience not in (status.audiences or []):
            return None
        name = str(status.user.username)
        role = self._roles.get(name)
        return Principal(name, frozenset({role} if role else set()))

    def _ask_cluster(self, token: str) -> Any:
        from kubernetes import client, config
        from kubernetes.client.exceptions import ApiException
        from urllib3.exceptions import HTTPError

        try:
            config.load_config()
            answer = client.AuthenticationV1Api().create_token_review(
                client.V1TokenReview(
                    spec=client.V1TokenReviewSpec(token=token, audiences=[self._audience])
                ),
                _request_timeout=5,
            )
        except (ApiException, HTTPError, config.ConfigException) as fault:
            raise Unavailable(
                f"The cluster cannot review service-account tokens ({type(fault).__name__}). Check "
                "that the API's service account may create tokenreviews.",
                retry_after_seconds=5,
            ) from fault
        return answer.status
