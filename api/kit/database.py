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
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError, NoSuchModuleError
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker

from shield.errors import Misconfigured

Clock = Callable[[], datetime]

_BUSY_TIMEOUT_SECONDS = 30
_RECYCLE_SECONDS = 1800
"""Older connections are replaced: something between here and the server may have dropped them."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC. SQLite has no time zones: there it is stored without, read back with."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; a time without zone is a bug."""
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
    """Base of all tables. Constraint names are fixed, so that migrations can name them."""

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


def open_engine(url: str, *, pool_size: int = 10) -> Engine:
    """Return an engine that knows its database's manners.

    SQLite: WAL, foreign keys, and `BEGIN IMMEDIATE`, because a read that turns into a write in the
    middle of a transaction cannot wait for another writer, it can only fail.

    Raises:
        Misconfigured: The URL is of neither kind.
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
            connect_args={"connect_timeout": 10},
        )
    except NoSuchModuleError as fault:
        raise _bad_url() from fault
    event.listen(engine, "checkout", _refuse_dead)
    return engine


def _refuse_dead(connection: Any, record: Any, proxy: Any) -> None:
    """Refuse a connection that the server has closed while idle, so that the pool replaces it.

    Nothing is due on an idle connection, so whatever can be read from it is its end. Asking the
    socket costs microseconds, where a ping would cost every request a round trip.
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
    """Return a factory of sessions over `engine`; those that only read take no write lock."""
    bound = engine.execution_options(shield_read_only=True) if reads else engine
    return sessionmaker(bound, expire_on_commit=False)


def settle(engine: Engine) -> None:
    """Bring SQLite's write-ahead log into the database, and empty it.

    Until then it holds what was deleted since. Readers that are in the middle of something hold a
    part of it; the caretaker tries again. PostgreSQL recycles its own.
    """
    if engine.dialect.name == "sqlite":
        with engine.connect().execution_options(shield_read_only=True) as connection:
            raw = connection.connection.cursor()
            raw.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            raw.close()


def read_only(session: Session) -> Session:
    """Mark a session that has not begun yet: on SQLite it then takes no write lock."""
    session.connection(execution_options={"shield_read_only": True})
    return session


def lock(session: Session, name: str) -> None:
    """Hold the named lock until the transaction ends.

    On SQLite a transaction that writes holds the only write lock already.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtext(:name))"), {"name": name})
