"""Scans by day: found as before, removed by whole days, and nothing lost that is needed."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from alembic import command
from sqlalchemy import Engine, text

from api.kit import partitions
from api.kit.database import open_engine, open_sessions
from api.kit.ids import first_id, new_id, time_of
from api.migrate import config_of, migrate
from api.privacy import old_scans
from api.privacy.retention import CARETAKER, look_after
from api.tables import Base
from shield.errors import NotFound
from shield.labels import FeedbackType, ModelType
from shield.wire import VersionRequest
from tests.integration.api.steps import DIGEST, decide, report, scan
from tests.support.api import RunningApi
from tests.support.dying import dying_at
from tests.support.postgres import new_database

DAY_SECONDS = 86_400
_INSERT = text(
    "INSERT INTO scans (id, user_id, scan_type, model_type, fingerprint, verdict, positive, "
    "probability, confidence, model_version, arm, forced, latency_ms, created_at) VALUES (:id, "
    "'ann', 'text', 'sms', '', 'ham', false, 0.1, 0.9, 'sms-v1', 'stable', false, 1, :at)"
)


def stored(engine: Engine) -> Counter[str]:
    """Return how many scans each table of PostgreSQL holds."""
    with engine.connect() as connection:
        found = connection.execute(text("SELECT tableoid::regclass::text FROM scans"))
        return Counter(found.scalars())


def remove(api: RunningApi, days: float) -> int:
    old_scans.make_room(api.services, CARETAKER)
    return old_scans.remove(api.services, CARETAKER, days)


def test_old_scans_go_and_what_was_reported_or_told_stays(api: RunningApi) -> None:
    first = scan(api, "ann", "hello of the first day")
    api.clock.move_on(5 * DAY_SECONDS)
    gone = scan(api, "ann", "lunch at noon")
    kept = report(api, "bob", "pay a parcel fee")
    api.clock.move_on(8 * DAY_SECONDS)
    recent = scan(api, "ann", "dinner at eight")
    assert remove(api, 10) == 1
    with api.client("ann") as ann:
        assert {one.id for one in ann.scans().items} == {gone.id, recent.id}
        with pytest.raises(NotFound):
            ann.send_feedback(first.id, FeedbackType.FALSE_NEGATIVE)
    api.clock.move_on(8 * DAY_SECONDS)
    remove(api, 10)
    assert remove(api, 10) == 0
    with api.client("ann") as ann, api.client("bob") as bob:
        assert [one.id for one in ann.scans().items] == [recent.id]
        assert [one.text for one in bob.scans().items] == ["pay a parcel fee"]
    assert decide(api, kept.id).status == "approved"
    with api.client("ann") as ann, pytest.raises(NotFound):
        ann.send_feedback(gone.id, FeedbackType.FALSE_NEGATIVE)


def test_what_the_drift_watch_counts_stays(api: RunningApi) -> None:
    scan(api, "ann", "hello of the first day")
    with api.client("pipeline", "pipeline") as pipeline:
        made = pipeline.register_version(ModelType.SMS, VersionRequest(digest=DIGEST, uri="p/x"))
    assert made.name == "sms-v1", "the version that the tests' rollout names"
    api.clock.move_on(90 * DAY_SECONDS)
    assert remove(api, 10) == 0
    with api.client("ann") as ann:
        assert len(ann.scans().items) == 1


@pytest.mark.xdist_group("postgres")
def test_a_day_is_dropped_and_what_stays_moves() -> None:
    """By whole partitions, on PostgreSQL alone."""
    engine = open_engine(new_database())
    migrate(engine)
    sessions = open_sessions(engine)
    now = datetime.now(UTC)
    ids = [new_id(now + timedelta(days=day)) for day in (0, 2, 2, 3, 40)]
    with engine.begin() as connection:
        for one in ids:
            connection.execute(_INSERT, {"id": one, "at": time_of(one)})
    assert stored(engine) == {
        "scans_before": 1,
        f"scans_{now + timedelta(days=2):%Y%m%d}": 2,
        f"scans_{now + timedelta(days=3):%Y%m%d}": 1,
        "scans_rest": 1,
    }
    before = now + timedelta(days=3)
    dropped = 0
    while True:
        with sessions() as session:
            oldest = partitions.prepare_fold(session, "scans", before)
            session.commit()
        if oldest is None:
            break
        with sessions() as session:
            partitions.fold(session, "scans", oldest, f"SELECT '{ids[1]}'")
            # A second process that saw the same does nothing.
            assert partitions.fold(session, "scans", oldest, "SELECT ''") is None
            session.commit()
        dropped += 1
    assert dropped == 2
    assert stored(engine)["scans_before"] == 2
    with engine.connect() as connection:
        left = set(connection.execute(text("SELECT id FROM scans")).scalars())
    assert left == {ids[0], ids[1], ids[3], ids[4]}
    with sessions() as session:
        made = partitions.make_ahead(session, "scans", now + timedelta(days=40), "month")
        session.commit()
        assert made in (2, 3)
        assert partitions.make_ahead(session, "scans", now + timedelta(days=40), "month") == 0
    assert stored(engine)["scans_rest"] == 0, "what had no partition was moved into its own"
    assert sum(stored(engine).values()) == 4
    engine.dispose()


@pytest.mark.xdist_group("postgres")
def test_a_filled_database_is_brought_to_partitions_and_back() -> None:
    engine = open_engine(new_database())
    now = datetime.now(UTC)
    with engine.begin() as connection:
        command.upgrade(config_of(connection), "0015")
        times = [now - timedelta(days=day) for day in (400, 30, 0, -3, -30)]
        for at in times:
            connection.execute(_INSERT, {"id": new_id(at), "at": at})
        connection.execute(_INSERT, {"id": "not-made-by-us", "at": now})
        rows = connection.execute(text("SELECT * FROM scans ORDER BY id")).all()
    migrate(engine)
    with engine.begin() as connection:
        assert connection.execute(text("SELECT * FROM scans ORDER BY id")).all() == rows
        plan = connection.execute(
            text(f"EXPLAIN SELECT 1 FROM scans WHERE id = '{first_id(now)}'")
        ).scalars()
        assert "scans_before" in "".join(plan), "one partition is asked for one scan"
    assert stored(engine)["scans_before"] == 3
    assert stored(engine)["scans_rest"] == 2
    with engine.begin() as connection:
        command.downgrade(config_of(connection), "0015")
        assert connection.execute(text("SELECT * FROM scans ORDER BY id")).all() == rows
    migrate(engine)
    assert sum(stored(engine).values()) == 6
    engine.dispose()


def test_the_caretaker_makes_room_and_removes(api: RunningApi) -> None:
    scan(api, "ann", "hello of the first day")
    api.clock.move_on(30 * DAY_SECONDS)
    look_after(api.services)
    with api.client("ann") as ann:
        assert len(ann.scans().items) == 1, "nothing is removed unless it is asked for"


def test_every_table_that_names_a_scan_keeps_it_or_goes_with_it() -> None:
    naming = {table.name for table in Base.metadata.tables.values() if "scan_id" in table.columns}
    keeping = {table.__tablename__ for table in old_scans.NEEDED_BY}
    assert naming == keeping | {"comparisons", "shadow_scores"}


def test_the_log_counts_scans_whose_removal_a_death_has_ended(
    sqlite_api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    api = sqlite_api
    monkeypatch.setattr(old_scans, "_CHUNK", 1)
    ids = [scan(api, "ann", f"forgettable walrus number {number}").id for number in range(3)]
    api.clock.move_on(31 * DAY_SECONDS)
    with dying_at(api.services.engine, "DELETE FROM scans", ids[2]), pytest.raises(RuntimeError):
        old_scans.remove(api.services, CARETAKER, 30)
    with api.client("root", "admin") as root:
        counts = [one.details["count"] for one in root.audit(action="scan.retention")]
    assert counts == [1, 1]
    assert old_scans.remove(api.services, CARETAKER, 30) == 1
