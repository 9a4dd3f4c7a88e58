"""Sign own tokens. Imports neither FastAPI nor the database."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

import jwt

ISSUER = "antispam-shield"
AUDIENCE = "antispam-shield"


class Role(StrEnum):
    """Role of a caller; a caller may have several."""

    USER = "user"
    """May scan and send feedback."""
    REVIEWER = "reviewer"
    """May decide feedback."""
    ADMIN = "admin"
    """May deploy, roll back and erase."""
    PIPELINE = "pipeline"
    """A step of the retraining: may lease corrections, register and propose versions."""
    OPERATOR = "operator"
    """The operator: may read evidence and record transitions of rollouts in the ledger."""


FORMER = {"service": (Role.PIPELINE, Role.OPERATOR)}
"""Retired roles and their replacements; tokens with a retired role are refused."""


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
        ValueError: A role is unknown.
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
