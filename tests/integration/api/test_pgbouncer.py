"""API processes behind a real PgBouncer that hands each transaction to another connection."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from api.kit.database import open_engine
from shield.labels import FeedbackType, ScanType
from shield.wire import DecidedBy, ReviewAction
from tests.support.pgbouncer import pgbouncer
from tests.support.postgres import new_database, new_migrated_database
from tests.support.replicas import Replicas, replicas
from tests.support.waiting import wait_until

pytestmark = pytest.mark.xdist_group("postgres")

SCAM = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"
COPY = "Your parcel 99 is held at our depot. Pay 3.49 at https://post-pay.example/zz today"
EACH = 12
"""Scans of each phone: more than a driver runs of a statement before it prepares it."""


def one_phone(world: Replicas, number: int) -> set[str]:
    with world.client(number % 2, f"phone-{number}") as phone:
        sent = [phone.scan(ScanType.TEXT, f"{number} times {at}: a walk?") for at in range(EACH)]
        reported = phone.send_feedback(sent[0].id, FeedbackType.FALSE_NEGATIVE)
        again = phone.send_feedback(sent[0].id, FeedbackType.FALSE_NEGATIVE)
        assert reported.id == again.id
        kept = {scan.id for scan in phone.scans().items}
        assert kept == {scan.id for scan in sent}, "what was acknowledged is there"
        return kept


def test_two_processes_lose_nothing_and_hear_of_decisions_behind_a_pooler(tmp_path: Path) -> None:
    direct = new_migrated_database()
    with (
        pgbouncer(direct) as pooled,
        replicas(
            tmp_path,
            database_url=direct,
            SHIELD_DATABASE_URL=pooled,
            SHIELD_DATABASE_DIRECT_URL=direct,
        ) as world,
    ):
        with ThreadPoolExecutor(8) as phones:
            found = list(phones.map(lambda number: one_phone(world, number), range(8)))
        assert len(set.union(*found)) == 8 * EACH
        for user, reviewer in (("ann", "rita"), ("cat", "otto")):
            with world.client(0, user) as phone, world.client(0, reviewer, "reviewer") as client:
                scan = phone.scan(ScanType.TEXT, SCAM)
                report = phone.send_feedback(scan.id, FeedbackType.FALSE_NEGATIVE)
                client.review(report.id, ReviewAction.APPROVE)
        with world.client(1, "bob") as bob:
            wait_until(lambda: bob.scan(ScanType.TEXT, COPY).decided_by is DecidedBy.REVIEWERS)


def test_statements_are_prepared_only_where_they_are_known_again() -> None:
    direct = new_database()
    with pgbouncer(direct) as pooled:
        for pooler in (True, False):
            engine = open_engine(pooled, pooler=pooler)
            held = [engine.connect() for _ in range(3)]
            try:
                for _ in range(EACH):
                    for connection in held:
                        with connection.begin():
                            assert connection.scalar(text("SELECT :n + 1"), {"n": 1}) == 2
            except DBAPIError:
                assert not pooler
            else:
                assert pooler, "or nothing here would fail without `pooler`"
            finally:
                for connection in held:
                    connection.invalidate()
                engine.dispose()
