"""What follows a decision outlives the process that took it, on both databases."""

import os
import signal
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, select, text, update

from api.inbox.notices import POSTMAN
from api.kit.context import Services, open_context
from api.kit.outbox import Job, Later, Worker, post
from api.tables import Notice, OutboxRow, Revision
from shield.labels import FeedbackType, ScanType
from shield.wire import NoticeKind, ReviewAction
from tests.integration.api.test_known import COPY, SCAM
from tests.support.api import running_api
from tests.support.replicas import Replicas, replicas
from tests.support.waiting import PATIENCE_SECONDS, wait_until


def decided(world: Replicas, replica: int) -> None:
    """Let two reviewers decide on a campaign whose message Carl had before."""
    with world.client(replica, "carl") as carl:
        carl.scan(ScanType.TEXT, COPY)
    for user, reviewer in (("ann", "rita"), ("cat", "otto")):
        with world.client(replica, user) as phone:
            scanned = phone.scan(ScanType.TEXT, SCAM)
            sent = phone.send_feedback(scanned.id, FeedbackType.FALSE_NEGATIVE)
        with world.client(replica, reviewer, "reviewer") as client:
            client.review(sent.id, ReviewAction.APPROVE)


def kinds(world: Replicas, replica: int, user: str) -> list[NoticeKind]:
    with world.client(replica, user) as client:
        return [notice.kind for notice in client.inbox().notices]


@pytest.mark.xdist_group("postgres")
def test_what_a_killed_process_has_begun_another_does_and_nobody_is_told_twice(
    tmp_path: Path,
) -> None:
    with replicas(tmp_path, 1, SHIELD_API_OUTBOX_LEASE_SECONDS="1") as world:
        engine = create_engine(world.database_url)
        plain = world.database_url.replace("postgresql+psycopg", "postgresql")
        with psycopg.connect(plain) as other:
            # Whoever writes notices waits for this lock: the work is begun, and not done.
            other.execute("SELECT pg_advisory_xact_lock(hashtext('inbox'))")
            decided(world, 0)

            def begun() -> bool:
                with engine.connect() as looking:
                    return bool(
                        looking.scalar(
                            select(OutboxRow.id).where(OutboxRow.leased_until.is_not(None))
                        )
                    )

            wait_until(begun, "nobody took the work")
            os.kill(world.processes[0].pid, signal.SIGKILL)
            world.processes[0].wait(timeout=PATIENCE_SECONDS)
            other.rollback()
        with engine.connect() as looking:
            assert looking.scalars(select(Notice.id)).all() == [], "none of it was done"
        world.start()
        wait_until(lambda: kinds(world, 1, "carl"))
        wait_until(lambda: kinds(world, 1, "cat"))
        assert kinds(world, 1, "carl") == [NoticeKind.REVISED]
        assert kinds(world, 1, "ann") == kinds(world, 1, "cat") == [NoticeKind.REPORT_RIGHT]
        engine.dispose()


def test_a_kill_at_any_moment_loses_nothing_on_sqlite(tmp_path: Path) -> None:
    with replicas(tmp_path, 1, sqlite=True, SHIELD_API_OUTBOX_LEASE_SECONDS="1") as world:
        decided(world, 0)
        os.kill(world.processes[0].pid, signal.SIGKILL)
        world.processes[0].wait(timeout=PATIENCE_SECONDS)
        world.start()
        for user, kind in (
            ("carl", NoticeKind.REVISED),
            ("ann", NoticeKind.REPORT_RIGHT),
            ("cat", NoticeKind.REPORT_RIGHT),
        ):
            wait_until(lambda user=user: kinds(world, 1, user))  # type: ignore[misc]
            assert kinds(world, 1, user) == [kind]
        engine = create_engine(world.database_url)
        with engine.connect() as looking:
            assert len(looking.scalars(select(Revision.scan_id)).all()) == 3
        engine.dispose()


def test_work_that_has_failed_for_weeks_stops_no_other_work(tmp_path: Path) -> None:
    done: list[str] = []

    def fail(services: Services, job: Job) -> None:
        raise ValueError("it always fails")

    def wait(services: Services, job: Job) -> None:
        raise Later(3600)

    handlers = {"fails": fail, "waits": wait, "works": lambda _, job: done.append(job.subject)}
    with running_api(tmp_path) as api:
        worker = Worker(api.services, handlers, "test")
        with open_context(api.services, POSTMAN) as ctx:
            for kind in handlers:
                post(ctx, kind, kind)
            ctx.session.flush()
            ctx.session.execute(update(OutboxRow).values(attempts=5000))

        def left() -> dict[str, OutboxRow]:
            with api.services.reading() as session:
                return {row.kind: row for row in session.scalars(select(OutboxRow))}

        worker.start()
        try:
            wait_until(lambda: all(row.due_at for row in left().values()) and done == ["works"])
        finally:
            worker.stop()
        assert left().keys() == {"fails", "waits"}
        assert left()["waits"].attempts == 0, "what only waits has not failed"
        for row in left().values():
            assert row.due_at is not None
            assert row.due_at <= api.clock() + timedelta(hours=1)


@pytest.mark.parametrize("facts", ["{", "[1]", "null", '"x"'])
def test_work_whose_facts_cannot_be_read_stops_no_other_work(tmp_path: Path, facts: str) -> None:
    done: list[str] = []
    with running_api(tmp_path) as api:
        worker = Worker(api.services, {"works": lambda _, job: done.append(job.subject)}, "test")
        for subject in ("spoilt", "whole"):
            with open_context(api.services, POSTMAN) as ctx:
                post(ctx, "works", subject)
        with api.services.engine.begin() as connection:
            spoil = text("UPDATE outbox SET facts = :facts WHERE subject = 'spoilt'")
            connection.execute(spoil, {"facts": facts})
        assert worker.work() == 1
        assert done == ["whole"]
        with api.services.engine.begin() as connection:
            connection.execute(text("UPDATE outbox SET facts = '{}', due_at = NULL"))
        assert worker.work() == 1, "it is done once somebody has restored it"
