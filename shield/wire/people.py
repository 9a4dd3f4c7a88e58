"""Users' accounts, erasure, and lineage."""

from datetime import datetime
from enum import StrEnum

from shield.crds.base import Wire
from shield.wire.base import Answer
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


class PairingRead(Answer):
    """A code that connects one phone to an account, once."""

    code: str
    """Ten letters and digits with a dash, for `/app#code=...`."""
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
