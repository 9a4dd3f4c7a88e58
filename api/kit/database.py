"""Engine, session and column types, the same for SQLite and PostgreSQL."""

import select as system
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    TypeDecorator,
    create_engine,
    event,
    literal_column,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from shield.errors import Misconfigured

Clock = Callable[[], datetime]

_BUSY_TIMEOUT_SECONDS = 30
_RECYCLE_SECONDS = 1800
"""Age at which connections are replaced: a proxy or firewall may drop older ones."""


class UtcDateTime(TypeDecorator[datetime]):
    """A UTC time. SQLite has no time zones: it is stored without one and read back with UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; a time without a zone is a bug."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"A time without time zone: {value!r}.")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Return the time as UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Base(DeclarativeBase):
    """Base of all tables. Constraint names are fixed, so that migrations can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {
        datetime: UtcDateTime,
        dict[str, Any]: JSON,
        list[str]: JSON,
        str: String(),
    }


def open_engine(url: str, *, pool_size: int = 10, pooler: bool = False) -> Engine:
    """Return an engine configured for SQLite or PostgreSQL.

    SQLite: WAL, foreign keys, and `BEGIN IMMEDIATE`, because a transaction that begins with a read
    and then writes cannot wait for another writer and fails instead.

    Args:
        url: Of the database.
        pool_size: Connections kept open (PostgreSQL).
        pooler: Whether the URL names a pooler that gives each transaction another connection:
            statements that were prepared on one of them are unknown on the next.

    Raises:
        Misconfigured: The URL names neither database.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as fault:
        raise _bad_url() from fault
    if parsed.get_backend_name() == "sqlite":
        return _sqlite_engine(parsed)
    if parsed.get_backend_name() != "postgresql":
        raise _bad_url()
    try:
        engine = create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_size=pool_size,
            max_overflow=2 * pool_size,
            pool_recycle=_RECYCLE_SECONDS,
            # The connection used last: its server process has plans and pages at hand.
            pool_use_lifo=True,
            connect_args={
                "connect_timeout": 10,
                **({"prepare_threshold": None} if pooler else {}),
            },
        )
    except NoSuchModuleError as fault:
        raise _bad_url() from fault
    event.listen(engine, "checkout", _refuse_dead)
    return engine


def _refuse_dead(connection: Any, record: Any, proxy: Any) -> None:
    """Discard a connection that the server has closed while idle, so that the pool replaces it.

    The server sends nothing on an idle connection, so that a readable socket is a closed one. This
    check takes microseconds; a ping would cost a round trip per request.
    """
    idle = system.poll()
    idle.register(connection.fileno(), system.POLLIN)
    if connection.closed or idle.poll(0):
        raise DisconnectionError("the server has closed the connection")


def _bad_url() -> Misconfigured:
    return Misconfigured(
        "SHIELD_DATABASE_URL cannot be used. Write `sqlite:///path/to/shield.db` or "
        "`postgresql+psycopg://user:password@host:5432/name`."
    )


def _sqlite_engine(url: URL) -> Engine:
    engine = create_engine(
        url, connect_args={"timeout": _BUSY_TIMEOUT_SECONDS, "check_same_thread": False}
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, record: Any) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode=WAL")
        # FULL: what was acknowledged outlives a power cut; NORMAL may lose the last transactions.
        cursor.execute("PRAGMA synchronous=FULL")
        cursor.execute("PRAGMA foreign_keys=ON")
        # What is deleted is overwritten, not only marked as free.
        cursor.execute("PRAGMA secure_delete=ON")
        cursor.close()

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        reads = connection.get_execution_options().get("shield_read_only", False)
        connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")

    return engine


def open_sessions(engine: Engine, *, reads: bool = False) -> sessionmaker[Session]:
    """Return a session factory on `engine`; its read-only sessions take no write lock."""
    bound = engine.execution_options(shield_read_only=True) if reads else engine
    return sessionmaker(bound, expire_on_commit=False)


def settle(engine: Engine) -> None:
    """Checkpoint and truncate SQLite's write-ahead log.

    Until then the log contains rows that were deleted. Active readers can prevent a full
    checkpoint; the caretaker retries. PostgreSQL recycles its log by itself.
    """
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(shield_read_only=True) as connection:
            raw = connection.connection.cursor()
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.close()


def read_only(session: Session) -> Session:
    """Mark a session that has not begun as read-only: on SQLite it takes no write lock."""
    session.connection(execution_options={"shield_read_only": True})
    return session


def by_no_index(column: Any) -> Any:
    """Return a text column as an expression that no index has.

    SQLite has no statistics of these tables, and enters the index with the most columns that equal
    something. Where one of a few values is asked for together with a short time or with one person,
    that is the index of half the table.
    """
    return column.concat(literal_column("''"))


def lock(session: Session, name: str) -> None:
    """Take the named lock until the transaction ends.

    On SQLite a writing transaction already holds the only write lock.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
