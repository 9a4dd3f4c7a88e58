"""The audit log."""

from datetime import datetime
from typing import Any

from shield.wire.base import Answer


class AuditEntry(Answer):
    """One line of the audit log."""

    sequence: int
    at: datetime
    actor: str
    action: str
    subject: str
    reason: str
    details: dict[str, Any] = {}
    previous_hash: str
    hash: str


class AuditCheck(Answer):
    """Whether the hash chain of the audit log holds."""

    entries: int
    head: str
    """Hash of the newest entry; note it elsewhere to notice a shortened log later."""
    broken_at: int | None = None
    """The first entry that does not fit."""
    problem: str = ""
    published: int | None = None
    """Sequence of the newest head that was published outside the database, and compared."""
    published_at: datetime | None = None
