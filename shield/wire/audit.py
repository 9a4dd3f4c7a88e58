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
    """The result of verifying the audit log's hash chain."""

    entries: int
    head: str
    """Hash of the newest entry; store it elsewhere to detect a truncated log later."""
    broken_at: int | None = None
    """Sequence of the first entry that fails verification."""
    problem: str = ""
    published: int | None = None
    """Sequence of the newest head published outside the database that was compared."""
    published_at: datetime | None = None
