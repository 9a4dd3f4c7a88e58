"""`make bench-faults` in small: what was acknowledged outlives kill, full disk and power cut."""

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from bench.faults import kinds, network, runs
from bench.faults.__main__ import lacks
from bench.faults.kinds import KINDS, Kind

SMALL = [
    pytest.param("kill -9", "postgresql", marks=pytest.mark.xdist_group("postgres")),
    ("disk full", "sqlite"),
    ("power cut", "sqlite"),
]


def kind_of(name: str) -> Kind:
    (found,) = [kind for kind in KINDS if kind.name == name]
    if reason := lacks(found):
        pytest.skip(f"{name} cannot be made here: {reason}")
    return found


@pytest.mark.parametrize(("name", "database"), SMALL)
def test_nothing_acknowledged_is_lost_or_doubled(name: str, database: str) -> None:
    report = runs.run(kind_of(name), database, runs=1, between_seconds=0.2)
    account = report.account
    assert account.acknowledged >= 2
    assert (account.lost, account.doubled, account.other) == (0, 0, 0)
    assert report.refused == {}


def test_scans_are_refused_while_the_model_server_is_away_and_answered_after() -> None:
    report = network.models("closed", runs=1)
    assert set(report.told) == {"unavailable"}


@pytest.mark.parametrize(("synchronous", "kept"), [("FULL", True), ("OFF", False)])
def test_the_filesystem_of_the_power_cut_forgets_what_was_not_synced(
    tmp_path: Path, synchronous: str, kept: bool
) -> None:
    kind_of("power cut")
    at = tmp_path / "at"
    kinds.mount(at, seed=1)
    try:
        with sqlite3.connect(at / "some.db", isolation_level=None) as connection:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute(f"PRAGMA synchronous={synchronous}")
            connection.execute("CREATE TABLE told (number INTEGER)")
            for number in range(200):
                connection.execute("INSERT INTO told VALUES (?)", (number,))
    finally:
        kinds.unmount(at)
    look = (
        "import sqlite3, sys; print(*sqlite3.connect(sys.argv[1]).execute("
        "'SELECT count(*) FROM told').fetchone())"
    )
    done = subprocess.run(
        [sys.executable, "-c", look, str(tmp_path / "disk" / "some.db")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.strip() == "200") is kept, done.stderr
