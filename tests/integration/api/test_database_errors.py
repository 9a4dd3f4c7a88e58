"""Concurrent writes are tried again; a fault of the database is seen at once."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import SQLAlchemyError

from api.kit.database import open_engine
from shield.database_errors import Cause, cause_of
from shield.errors import ShieldError, Unavailable
from shield.labels import FeedbackType
from tests.integration.api.conftest import serve
from tests.integration.api.steps import scan
from tests.support.api import RunningApi
from tests.support.postgres import new_database


def made(engine: Engine) -> Engine:
    """Make one table with two rows."""
    with engine.begin() as connection:
        connection.execute(
            text("CREATE TABLE item (id INTEGER PRIMARY KEY, name VARCHAR(8) NOT NULL UNIQUE)")
        )
        connection.execute(text("INSERT INTO item VALUES (1, 'one'), (2, 'two')"))
    return engine


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))]
)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    sqlite = f"sqlite:///{tmp_path}/test.db"
    engine = made(open_engine(new_database() if request.param == "postgresql" else sqlite))
    yield engine
    engine.dispose()


def error_of(engine: Engine, statement: str) -> SQLAlchemyError:
    with pytest.raises(SQLAlchemyError) as raised, engine.begin() as connection:
        connection.execute(text(statement))
    return raised.value


@pytest.mark.parametrize(
    ("statement", "cause"),
    [
        ("INSERT INTO item VALUES (1, 'other')", Cause.CONFLICT),
        ("INSERT INTO item VALUES (3, 'one')", Cause.CONFLICT),
        ("INSERT INTO item VALUES (3, NULL)", Cause.FAULT),
        ("INSERT INTO item VALUES (3, 'x', 'y')", Cause.FAULT),
        ("SELECT missing FROM item", Cause.FAULT),
        ("SELECT * FROM nowhere", Cause.FAULT),
        ("SELECT FROM WHERE", Cause.FAULT),
    ],
)
def test_a_statement_that_fails_alike_each_time_is_a_fault(
    engine: Engine, statement: str, cause: Cause
) -> None:
    assert cause_of(error_of(engine, statement)) is cause


@pytest.mark.xdist_group("postgres")
def test_a_deadlock_and_a_lost_update_of_postgresql_are_conflicts() -> None:
    engine = made(open_engine(new_database()))
    errors: list[SQLAlchemyError] = []
    both_hold = threading.Barrier(2)

    def cross(first: int, second: int) -> None:
        try:
            with engine.begin() as connection:
                _touch(connection, first)
                both_hold.wait(timeout=30)
                _touch(connection, second)
        except SQLAlchemyError as error:
            errors.append(error)

    _together(lambda: cross(1, 2), lambda: cross(2, 1))
    assert [cause_of(error) for error in errors] == [Cause.CONFLICT]

    strict = engine.execution_options(isolation_level="REPEATABLE READ")
    with strict.connect() as late:
        late.execute(text("SELECT * FROM item")).all()
        with engine.begin() as quick:
            _touch(quick, 1)
        with pytest.raises(SQLAlchemyError) as lost:
            _touch(late, 1)
    assert cause_of(lost.value) is Cause.CONFLICT
    engine.dispose()


def _touch(connection: Connection, item: int) -> None:
    connection.execute(text("UPDATE item SET name = name WHERE id = :id"), {"id": item})


def _together(*works: Callable[[], None]) -> None:
    threads = [threading.Thread(target=work) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)


def test_a_locked_sqlite_is_a_conflict_and_a_full_or_missing_one_is_away(tmp_path: Path) -> None:
    engine = made(open_engine(f"sqlite:///{tmp_path}/test.db"))
    other = open_engine(f"sqlite:///{tmp_path}/test.db?timeout=0")
    event.listen(other, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 0"))
    with engine.begin() as holding:
        _touch(holding, 1)
        assert cause_of(error_of(other, "UPDATE item SET name = name")) is Cause.CONFLICT
    event.listen(other, "connect", lambda raw, _: raw.execute("PRAGMA max_page_count = 1"))
    other.dispose()
    filling = (
        "WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) "
        "INSERT INTO item SELECT i, hex(randomblob(64)) FROM n"
    )
    assert cause_of(error_of(other, filling)) is Cause.AWAY
    missing = open_engine(f"sqlite:///{tmp_path}/nowhere/test.db")
    assert cause_of(error_of(missing, "SELECT 1")) is Cause.AWAY


def test_a_postgresql_that_is_not_there_or_ends_the_session_is_away() -> None:
    nobody = open_engine("postgresql://shield:x@127.0.0.1:1/shield")
    assert cause_of(error_of(nobody, "SELECT 1")) is Cause.AWAY


@pytest.mark.xdist_group("postgres")
def test_a_session_that_postgresql_ends_is_away() -> None:
    engine = open_engine(new_database())
    assert cause_of(error_of(engine, "SELECT pg_terminate_backend(pg_backend_pid())")) is Cause.AWAY
    engine.dispose()


def _refuse_feedback(api: RunningApi) -> None:
    """Break the schema, so that no row of feedback can be stored: a fault, whoever writes."""
    with api.services.engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE feedback ADD CHECK (source <> 'report')"))
        else:
            connection.execute(
                text(
                    "CREATE TRIGGER broken BEFORE INSERT ON feedback "
                    "BEGIN SELECT RAISE(ABORT, 'broken'); END"
                )
            )


def _inserts_of_feedback(api: RunningApi) -> list[str]:
    """Return a list that grows with every attempt to store feedback."""
    inserts: list[str] = []

    def count(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "INSERT INTO feedback" in statement:
            inserts.append(statement)

    event.listen(api.services.engine, "before_cursor_execute", count)
    return inserts


def test_a_fault_is_answered_at_once_and_not_called_a_conflict(
    api: RunningApi, caplog: pytest.LogCaptureFixture
) -> None:
    own = scan(api, "ann", "a parcel waits for you")
    _refuse_feedback(api)
    inserts = _inserts_of_feedback(api)
    with api.client("ann") as client, pytest.raises(ShieldError) as refused:
        client.send_feedback(own.id, FeedbackType.CONFIRMED)
    assert not isinstance(refused.value, Unavailable)
    assert len(inserts) == 1
    assert "database: fault" in caplog.text
    assert "api/" in caplog.text


@pytest.mark.xdist_group("postgres")
def test_conflicts_that_do_not_end_are_answered_with_503_and_when_to_retry(tmp_path: Path) -> None:
    with ExitStack() as stack:
        api = serve(stack, tmp_path, new_database())
        own = scan(api, "ann", "a parcel waits for you")
        with api.services.engine.begin() as connection:
            connection.execute(
                text(
                    "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS "
                    "$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'serialization_failure'; END $$"
                )
            )
            connection.execute(
                text("CREATE TRIGGER lose BEFORE INSERT ON feedback EXECUTE FUNCTION lose()")
            )
        inserts = _inserts_of_feedback(api)
        with (
            api.client("ann") as client,
            pytest.raises(Unavailable, match="Conflicting concurrent writes; retry") as refused,
        ):
            client.send_feedback(own.id, FeedbackType.CONFIRMED)
        assert refused.value.retry_after_seconds == 1
        assert len(inserts) >= 5
