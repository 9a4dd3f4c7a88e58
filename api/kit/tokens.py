"""Signing our own tokens. Pure: imports neither FastAPI nor the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import jwt

ISSUER = "antispam-shield"
AUDIENCE = "antispam-shield"


class Role(StrEnum):
    """What a caller may be. One caller may have several."""

    USER = "user"
    """Scans and sends feedback."""
    REVIEWER = "reviewer"
    """Decides on feedback."""
    ADMIN = "admin"
    """Deploys, rolls back, erases."""
    PIPELINE = "pipeline"
    """A step of the retraining: leases corrections, registers versions, proposes them."""
    OPERATOR = "operator"
    """The operator: reads evidence, and writes the transitions of rollouts into the ledger."""


FORMER = {"service": (Role.PIPELINE, Role.OPERATOR)}
"""Roles of earlier releases, and what they are now; no token with one is taken any more."""


def mint(
    secret: str,
    subject: str,
    roles: Sequence[str],
    *,
    now: datetime,
    lifetime_seconds: float,
    issuer: str = ISSUER,
    audience: str = AUDIENCE,
) -> str:
    """Return an HS256 token that the API accepts.

    Raises:
        ValueError: A role that nobody knows.
    """
    claims = {
        "sub": subject,
        "roles": [Role(role).value for role in roles],
        "iss": issuer,
        "aud": audience,
        "iat": int(now.timestamp()),
        "exp": int((now + timedelta(seconds=lifetime_seconds)).timestamp()),
    }
    return jwt.encode(claims, secret, algorithm="HS256")
