"""The schema: made by migrations, equal to the models, refused when it is newer."""

import logging
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine, text

from api.__main__ import main
from api.kit.database import open_engine
from api.kit.partitions import is_own_table
from api.migrate import check, head, migrate, migrate_when_there
from api.tables import Base
from shield.errors import Misconfigured, Unavailable
from shield.rollouts.table import METADATA
from tests.support.api import SECRET, settings_for
from tests.support.postgres import new_database


@pytest.fixture(
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))]
)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/new.db" if request.param == "sqlite" else new_database()


def test_migrations_make_exactly_the_tables_of_the_models(empty_url: str) -> None:
    engine = open_engine(empty_url)
    with pytest.raises(Misconfigured, match=r"api\.migrate"):
        check(engine)
    assert migrate(engine) == migrate(engine) == head()
    check(engine)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"include_name": is_own_table})
        assert compare_metadata(context, [Base.metadata, METADATA]) == []  # type: ignore[arg-type]


def test_a_database_of_a_newer_version_is_refused_in_one_sentence(empty_url: str) -> None:
    engine = open_engine(empty_url)
    migrate(engine)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Misconfigured, match="a newer version made it"):
        migrate(engine)


def test_a_database_that_is_not_there_yet_is_waited_for() -> None:
    engine = create_engine("postgresql+psycopg://nobody@127.0.0.1:9/nothing")
    slept: list[float] = []
    time = iter(range(100))
    with pytest.raises(Unavailable):
        migrate_when_there(engine, 3, sleep=slept.append, monotonic=lambda: float(next(time)))
    assert slept == [1.0, 1.0]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"SHIELD_API_JWT_SECRET": ""}, "at least 32 bytes"),
        ({"SHIELD_API_MESSAGE_KEYS": "/nowhere/ring.json"}, "cannot be read"),
        ({"SHIELD_DATABASE_URL": "mysql://x/y"}, "SHIELD_DATABASE_URL cannot be used"),
        ({"SHIELD_DATABASE_URL": "sqlite:////nowhere/at/all.db"}, "cannot be opened"),
        ({"SHIELD_API_RATE_PER_USER": "a lot"}, "not a rate limit"),
    ],
)
def test_the_server_says_in_one_sentence_what_is_wrong_and_exits_1(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, str],
    said: str,
) -> None:
    keys = settings_for(tmp_path).message_keys
    environment = {
        "SHIELD_API_JWT_SECRET": SECRET,
        "SHIELD_API_MESSAGE_KEYS": str(keys),
        "SHIELD_DATABASE_URL": f"sqlite:///{tmp_path}/shield.db",
        "SHIELD_ARTIFACTS_ROOT": str(tmp_path / "artifacts"),
        "SHIELD_API_PORT": "0",
        **changes,
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    root = logging.getLogger()
    monkeypatch.setattr(root, "handlers", root.handlers)  # `main` sets its own
    assert main() == 1
    assert said in capsys.readouterr().err
