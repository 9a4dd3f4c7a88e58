"""Waiting for a write to a database."""

import sqlite3
import threading
import time
from pathlib import Path

import pytest
from sqlalchemy import make_url

from shield import database_changes
from shield.database_changes import Changes
from tests.support.waiting import PATIENCE_SECONDS


@pytest.fixture
def file(tmp_path: Path) -> Path:
    with sqlite3.connect(tmp_path / "a.db") as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE notes (text)")
    return tmp_path / "a.db"


@pytest.mark.parametrize("told", [True, False], ids=["inotify", "asking"])
def test_a_wait_ends_with_a_commit_and_with_nothing_else(
    file: Path, told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not told:
        monkeypatch.setattr(database_changes, "_told_of_writes", lambda folder: None)
    changes = Changes(make_url(f"sqlite:///{file}"))
    assert changes.wait(0), "the first time something may have changed"
    assert not changes.wait(0.01)
    writer = sqlite3.connect(file, isolation_level=None, check_same_thread=False)
    for number in range(20):
        # A commit some time after the write, as with a slow disk: the file alone tells too early.
        writer.execute("BEGIN IMMEDIATE")
        writer.execute("INSERT INTO notes VALUES (?)", ["word " * 2000])
        assert not changes.wait(0)
        thread = threading.Thread(target=_commit_later, args=(writer, 0.002 * number))
        thread.start()
        began = time.monotonic()
        assert changes.wait(PATIENCE_SECONDS), "a lost wake-up"
        assert time.monotonic() - began < PATIENCE_SECONDS, "not noticed before the end of the wait"
        thread.join()
    changes.close()
    assert changes.wait(0)
    changes.close()
    writer.close()


def _commit_later(writer: sqlite3.Connection, seconds: float) -> None:
    time.sleep(seconds)
    writer.execute("COMMIT")


def test_where_nobody_counts_a_look_is_always_due(tmp_path: Path) -> None:
    for url in ("sqlite://", "postgresql+psycopg://somewhere/base"):
        assert Changes(make_url(url)).wait(PATIENCE_SECONDS)
    missing = Changes(make_url(f"sqlite:///{tmp_path}/none/a.db"))
    assert missing.wait(PATIENCE_SECONDS)
    assert missing.wait(PATIENCE_SECONDS), "whoever looks is told what is wrong"
