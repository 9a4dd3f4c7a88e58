"""What one replica decides the others know, over PostgreSQL; a deaf one says so and goes on."""

from pathlib import Path

import httpx
import psycopg
import pytest

from shield.labels import FeedbackType, ScanType
from shield.wire import DecidedBy, ReviewAction
from tests.support.api import running_services
from tests.support.postgres import new_migrated_database
from tests.support.replicas import Replicas, replicas
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.xdist_group("postgres")

SCAM = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"
COPY = "YOUR p\u0430rcel 99 is being held at our depot, pay 3.49 at http://x.post-pay.example/zz"


def decide(world: Replicas, replica: int, user: str, reviewer: str) -> None:
    with world.client(replica, user) as phone:
        sent = phone.send_feedback(phone.scan(ScanType.TEXT, SCAM).id, FeedbackType.FALSE_NEGATIVE)
    with world.client(replica, reviewer, "reviewer") as client:
        client.review(sent.id, ReviewAction.APPROVE)


def test_a_decision_and_its_undo_turn_what_the_other_process_answers(tmp_path: Path) -> None:
    with replicas(tmp_path) as world, world.client(1, "bob") as bob:
        decide(world, 0, "ann", "rita")
        wait_until(lambda: bob.scan(ScanType.TEXT, COPY).known is not None)
        decide(world, 0, "cat", "otto")
        answered = bob.scan(ScanType.TEXT, COPY)  # the database says how it stands: no wait
        assert (answered.verdict, answered.decided_by) == ("spam", DecidedBy.REVIEWERS)
        with world.client(0, "rita", "reviewer") as rita:
            (entry,) = rita.known()
            rita.undo_known(entry.id, "a mistake")
        assert bob.scan(ScanType.TEXT, COPY).known is None, "no wait for an undo either"
        said = httpx.get(f"{world.urls[1]}/readyz", trust_env=False, timeout=PATIENCE_SECONDS)
        assert "up to change" in said.json()["known"]


def test_a_deaf_replica_says_so_goes_on_and_catches_up(tmp_path: Path) -> None:
    url = new_migrated_database()
    plain = url.replace("postgresql+psycopg", "postgresql")
    name = plain.rpartition("/")[2].partition("?")[0]
    other = plain.replace(f"/{name}?", "/postgres?") if "?" in plain else plain
    with (
        running_services(tmp_path, url) as services,
        psycopg.connect(other, autocommit=True) as admin,
    ):
        services.known.start()
        wait_until(lambda: services.known.hearing().deaf_since is None)
        admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = %s AND query LIKE 'LISTEN%%'",
                (name,),
            )
            wait_until(lambda: services.known.hearing().deaf_since is not None)
            assert "does not answer" in services.known.hearing().why
        finally:
            admin.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        wait_until(lambda: services.known.hearing().deaf_since is None)
        services.known.stop()
