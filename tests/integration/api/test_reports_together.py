"""Reports that come at once share a transaction: each as if it had come alone, and all or none."""

import os
import signal
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import psycopg
import pytest
from sqlalchemy import func, select

from api.campaigns import finding
from api.feedback import service, writing
from api.feedback.writing import Asked
from api.kit.auth import Principal
from api.kit.context import open_context
from api.kit.tokens import Role
from api.tables import Campaign, CampaignFingerprint, Feedback
from shield.labels import FeedbackType, ScanType
from shield.similarity import form
from shield.wire import FeedbackRead, FeedbackRequest
from tests.integration.api.steps import scan
from tests.support.api import RunningApi
from tests.support.replicas import Replicas, replicas
from tests.support.waiting import PATIENCE_SECONDS, wait_until

MESSAGES = [
    "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today",
    "Claim the lottery prize of 50,000 that waits for you, call 0906 1234567 tonight",
    "Mum, I dropped my phone in the sea. Send 800 to this account, I explain it later",
    "The bank has locked your card after three tries, confirm your name and your code",
]
COPY = "Your parcel 99 is held at our depot. Pay 3.49 at https://post-pay.example/zz today"


def asked(
    api: RunningApi,
    user: str,
    scan_id: str,
    key: str | None = None,
    kind: FeedbackType = FeedbackType.FALSE_NEGATIVE,
) -> Asked:
    principal = Principal(user, frozenset({Role.USER}))
    request = FeedbackRequest(scan_id=scan_id, feedback_type=kind, comment=f"{user} says so")
    return Asked(api.services, principal, request, key)


def alone(item: Asked) -> FeedbackRead:
    return service.submit_alone(item.services, item.principal, item.request, item.key)


def counts(api: RunningApi) -> list[tuple[int, int]]:
    """Return reports, pending of each campaign, most reported first."""
    with api.services.sessions() as session:
        query = select(Campaign.reports, Campaign.pending).order_by(Campaign.reports.desc())
        return [(row.reports, row.pending) for row in session.execute(query)]


def test_a_group_is_written_as_its_reports_would_be_alone(api: RunningApi) -> None:
    known = scan(api, "ann", MESSAGES[0])
    alone(asked(api, "ann", known.id))
    copies = [scan(api, f"copy-{at}", MESSAGES[0]).id for at in range(3)]
    disguised = scan(api, "cat", f"Dear customer! {COPY}").id
    new = [scan(api, f"new-{at}", MESSAGES[at]).id for at in (1, 2)]
    group = [asked(api, f"copy-{at}", copy) for at, copy in enumerate(copies)]
    group += [asked(api, "cat", disguised, "c")]
    group += [asked(api, f"new-{at}", new[at - 1], "k") for at in (1, 2)]
    reads = writing.write(group)
    assert [read and read.scan_id for read in reads] == [item.request.scan_id for item in group]
    assert [read and read.comment for read in reads] == [item.request.comment for item in group]
    assert len({read.campaign_id for read in reads[:4] if read}) == 1
    assert counts(api) == [(5, 5), (1, 1), (1, 1)]
    # The same keys are answered by the same reports, as if they had been sent alone.
    assert [alone(item) for item in group[3:]] == reads[3:]
    with api.services.sessions() as session:
        assert session.scalar(select(func.count()).select_from(Feedback)) == 7
        assert session.scalar(select(func.count()).select_from(CampaignFingerprint)) == 4


def test_what_is_not_plain_is_left_and_what_is_plain_beside_it_is_written(
    api: RunningApi,
) -> None:
    own = [scan(api, "ann", text).id for text in MESSAGES]
    theirs = scan(api, "bob", MESSAGES[0]).id
    repeated = asked(api, "ann", own[3], "old")
    first = alone(repeated)
    group = [
        asked(api, "ann", own[0], "a"),
        asked(api, "ann", own[0], "b"),  # the same scan
        asked(api, "bob", theirs),  # the same message, new to the queue
        asked(api, "ann", own[1], "a"),  # the same key
        asked(api, "ann", theirs),  # somebody else's scan
        asked(api, "ann", own[2], None, FeedbackType.FALSE_POSITIVE),  # contradicts the verdict
        repeated,
        asked(api, "ann", own[3], None, FeedbackType.CONFIRMED),  # a change
        asked(api, "ann", own[1]),
    ]
    reads = writing.write(group)
    assert [at for at, read in enumerate(reads) if read is not None] == [0, 8]
    assert alone(group[1]).id == reads[0].id if reads[0] else None
    assert alone(group[2]).campaign_id == reads[0].campaign_id if reads[0] else None
    assert alone(repeated) == first
    assert counts(api) == [(2, 2), (1, 1), (1, 1)]


def test_campaigns_are_found_for_several_messages_as_for_each(api: RunningApi) -> None:
    for at, text in enumerate(MESSAGES):
        alone(asked(api, f"user-{at}", scan(api, f"user-{at}", text).id))
    sought = [COPY, "Shall we meet at eight?", *(f"Hi! {text}" for text in MESSAGES)]
    with open_context(api.services, Principal("rita", frozenset({Role.REVIEWER}))) as ctx:
        messages = [finding.message_of(ctx.ring, "sms", text) for text in sought]
        together = finding.find_each(ctx.session, ctx.ring, messages)
        assert together == [finding.find(ctx, "sms", form(text)) for text in sought]
    assert together[1] is None
    assert together[0] == together[2]
    assert len({place.campaign_id for place in together if place}) == 4


@contextmanager
def held(url: str, statement: str, *values: object) -> Iterator[None]:
    """Keep a transaction open that has run a statement."""
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as other:
        other.execute(statement, values)
        yield
        other.rollback()


def waiting(url: str) -> int:
    """Return how many statements wait for another transaction."""
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as looking:
        row = looking.execute(
            "SELECT count(*) FROM pg_stat_activity "
            "WHERE datname = current_database() AND wait_event_type = 'Lock'"
        ).fetchone()
    return row[0] if row else 0


def reports(url: str) -> set[str]:
    """Return the scans that are reported; each has one report."""
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as looking:
        found = [row[0] for row in looking.execute("SELECT scan_id FROM feedback").fetchall()]
    assert len(set(found)) == len(found)
    return set(found)


def send(world: Replicas, replica: int, sent: Sequence[tuple[str, str]]) -> list[Future[str]]:
    """Let each user report a scan, all at once; return the ids of the reports."""

    def one(user: str, scan_id: str) -> str:
        answer = httpx.post(  # a client of ours would ask again
            f"{world.urls[replica]}/api/v2/feedback",
            json={"scanId": scan_id, "feedbackType": "false_negative"},
            headers={
                "Authorization": f"Bearer {world.at(replica).token(user)}",
                "Idempotency-Key": f"tap-{scan_id}",
            },
            timeout=PATIENCE_SECONDS,
            trust_env=False,
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["data"]["id"])

    pool = ThreadPoolExecutor(len(sent))
    futures = [pool.submit(one, user, scan_id) for user, scan_id in sent]
    pool.shutdown(wait=False)
    return futures


@pytest.mark.xdist_group("postgres")
def test_a_lock_delays_nobody_else_and_a_kill_within_a_group_leaves_nothing_of_it(
    tmp_path: Path,
) -> None:
    with replicas(tmp_path, 1) as world:
        url = world.database_url
        scans = []
        for at, text in enumerate([*MESSAGES, "see you", "at eight"]):
            with world.client(0, f"user-{at}") as phone:
                scans.append((f"user-{at}", phone.scan(ScanType.TEXT, text).id))
        *scans, locked, other = scans
        with held(url, "SELECT 1 FROM scans WHERE id = %s FOR UPDATE", locked[1]):
            (delayed,) = send(world, 0, [locked])
            wait_until(lambda: waiting(url) == 1)
            assert [future.result(PATIENCE_SECONDS) for future in send(world, 0, [other])]
            assert not delayed.done()
        delayed.result(PATIENCE_SECONDS)

        insert = (
            "INSERT INTO campaign_fingerprints (fingerprint, model_type, campaign_id) "
            "SELECT fingerprint, model_type, 'nobody' FROM scans WHERE id = ANY(%s)"
        )
        with held(url, insert, [scan_id for _, scan_id in scans[1:]]):
            with held(url, insert, [scans[0][1]]):
                first = send(world, 0, scans[:1])
                wait_until(lambda: waiting(url) == 1)
                rest = send(world, 0, scans[1:])
                # On a quiet machine all have come by then, so that they share a transaction.
                time.sleep(0.3)
            (written,) = [future.result(PATIENCE_SECONDS) for future in first]
            wait_until(lambda: waiting(url) == 1, "the others are half written")
            os.kill(world.processes[0].pid, signal.SIGKILL)
            world.processes[0].wait(timeout=PATIENCE_SECONDS)
            assert all(future.exception(PATIENCE_SECONDS) for future in rest), "nobody is told"
        assert reports(url) == {locked[1], other[1], scans[0][1]}
        world.start()
        again = [future.result(PATIENCE_SECONDS) for future in send(world, 1, scans)]
        assert again[0] == written, "what was acknowledged is there, once"
        assert again == [future.result(PATIENCE_SECONDS) for future in send(world, 1, scans)]
        assert reports(url) == {scan_id for _, scan_id in [*scans, locked, other]}
