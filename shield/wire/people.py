"""Users' accounts, erasure, and lineage."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from shield.crds.base import Wire
from shield.wire.base import Answer, Identifier
from shield.wire.registry import VersionRead


class MeRead(Answer):
    """The caller's account data."""

    subject: str
    roles: list[str]
    audit_consent: bool
    """Consent to the audit sample: a small share of unreported scans may be reviewed."""
    approved: int
    """Number of the caller's approved reports."""
    rejected: int


class MeUpdate(Wire):
    """Changes of the caller's account."""

    audit_consent: bool


class InvitationRequest(Wire):
    """Whom to invite."""

    subject: Identifier
    """The user id of the new account."""
    days: Annotated[int, Field(ge=1, le=30)] = 7
    """How long the link is valid."""


class PairingRead(Answer):
    """A code that connects one phone to an account, once."""

    code: str
    """Letters and digits in groups of five, for `/app#code=...`: ten, of an invitation twenty."""
    subject: str
    expires_at: datetime


class ErasureRead(Answer):
    """The result of an erasure."""

    scans: int
    feedback: int
    versions: list[str]
    """Versions that were trained on the user's messages."""
    batches: list[str]
    """Sealed batches that contained them; the copies in the store are deleted or rewritten."""


class LineageKind(StrEnum):
    """Kinds of subjects of a lineage query."""

    FEEDBACK = "feedback"
    REPORTER = "reporter"
    """By user id or pseudonym."""
    CAMPAIGN = "campaign"
    BATCH = "batch"


class LineageRead(Answer):
    """Every version that was trained on a feedback, reporter, campaign or batch."""

    subject: str
    feedback: int
    """Number of the subject's corrections."""
    batches: list[str]
    versions: list[VersionRead]
    serving: list[str] | None
    """Versions that serve now; null if the rollout store does not answer."""
