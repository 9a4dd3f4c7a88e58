"""What an error of the database means: concurrent writes, a database that is away, or a fault.

Only the first is worth an immediate retry, and only the second clears up by waiting. A fault (a
missing column, a violated NOT NULL or CHECK) fails the same way each time, so it must be seen.

Sources: PostgreSQL, "PostgreSQL Error Codes" (appendix A); SQLite, "Result and Error Codes".
"""

from enum import Enum

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

CONFLICTING_WRITES = "Conflicting concurrent writes; retry."
"""The message of an answer that gives up after retries, or where none is possible."""


class Cause(Enum):
    """Why a statement failed."""

    CONFLICT = "conflict"
    """Another transaction wrote at the same moment: run the whole transaction again."""
    AWAY = "away"
    """The database does not answer, is starting or shutting down, or cannot write."""
    FAULT = "fault"
    """The statement is wrong for this schema or these values; a retry fails alike."""


_CONFLICTS = {
    "23505",  # unique_violation: another transaction inserted the row first
    "23P01",  # exclusion_violation
    "40001",  # serialization_failure
    "40P01",  # deadlock_detected
    "55P03",  # lock_not_available
}
# 08: connection; 53: out of disk, memory or connections; 57P: shutdown and start; 58: system.
_AWAY = ("08", "53", "57P", "58")
_SQLITE_CONFLICTS = (
    "SQLITE_BUSY",
    "SQLITE_LOCKED",
    "SQLITE_CONSTRAINT_UNIQUE",
    "SQLITE_CONSTRAINT_PRIMARYKEY",
)
_SQLITE_AWAY = (
    "SQLITE_CANTOPEN",
    "SQLITE_FULL",
    "SQLITE_IOERR",
    "SQLITE_NOMEM",
    "SQLITE_READONLY",
)


def cause_of(error: SQLAlchemyError) -> Cause:
    """Return what an error of SQLAlchemy means, by the code of its driver (psycopg or sqlite3)."""
    if isinstance(error, PoolTimeout):
        return Cause.AWAY
    if not isinstance(error, DBAPIError):
        return Cause.FAULT
    name: str = getattr(error.orig, "sqlite_errorname", None) or ""
    if name:
        if name.startswith(_SQLITE_CONFLICTS):
            return Cause.CONFLICT
        return Cause.AWAY if name.startswith(_SQLITE_AWAY) else Cause.FAULT
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is None:
        # psycopg gives no code where the connection could not be made, or broke.
        lost = error.connection_invalidated or type(error).__name__ == "OperationalError"
        return Cause.AWAY if lost else Cause.FAULT
    if state in _CONFLICTS:
        return Cause.CONFLICT
    return Cause.AWAY if state.startswith(_AWAY) else Cause.FAULT


def is_conflict(error: SQLAlchemyError) -> bool:
    """Tell whether running the transaction again may succeed at once."""
    return cause_of(error) is Cause.CONFLICT
