"""Abuse of known campaigns: made-up campaigns, a colluding reviewer, clocks that disagree.

Near misses of a bank's alert, swapped links, contradictions: `test_known`. A campaign that grows
while it is decided: `test_inbox`. A replica that the database does not answer:
`test_known_replicas`.
"""

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from sqlalchemy import select

from api.inbox.notices import POSTMAN
from api.kit.context import Services, open_context
from api.kit.keyring import new_ring
from api.kit.outbox import OutboxRow, Worker, post
from api.tables import Notice
from shield.errors import AlreadyReviewed, Forbidden
from shield.labels import FeedbackType, ModelType
from shield.wire import KnownStanding, NoticeKind, ReviewAction
from tests.integration.api.steps import decide, http, report, scan
from tests.integration.api.test_inbox import settled
from tests.integration.api.test_known import (
    CHECKING,
    COPY,
    MODEL,
    SCAM,
    confirmed,
    known,
    told,
)
from tests.support.api import MovableClock, RunningApi, running_api, running_services
from tests.support.arms import deploy, model_server
from tests.support.postgres import new_migrated_database
from tests.support.waiting import PATIENCE_SECONDS, wait_until

HONEST = "Your table for four at the Blue Anchor is booked for Friday at eight, see you then"


def test_a_flood_of_made_up_campaigns_acts_on_nobody_and_does_not_bury_a_real_one(
    sqlite_api: RunningApi,
) -> None:
    for number in range(40):
        word = "".join(chr(97 + (number * place) % 26) for place in range(3, 12))
        report(sqlite_api, f"bot-{number}", f"{HONEST} {word} {word[::-1]} {word[3:]}")
    for number in range(5):
        report(sqlite_api, f"victim-{number}", SCAM)
    assert known(sqlite_api) == [], "reports alone make nothing known"
    assert told(scan(sqlite_api, "bob", HONEST)) == ("ham", *MODEL)
    with http(sqlite_api, "rita", "reviewer") as rita:
        queue = rita.get("/api/v2/feedback/pending", params={"group": "campaign", "limit": 10})
        first = [item["scan"]["text"] for item in queue.json()["data"]]
    assert any(text == SCAM for text in first), "the real one is among the first that are shown"


def test_a_colluding_reviewer_has_one_voice_marks_at_most_and_revises_nobody(
    sqlite_api: RunningApi,
) -> None:
    scan(sqlite_api, "customer", HONEST)
    items = [report(sqlite_api, f"friend-{number}", HONEST) for number in range(4)]
    own = report(sqlite_api, "mallory", HONEST)
    with sqlite_api.client("mallory", "reviewer") as mallory:
        with pytest.raises(Forbidden, match="your own report"):
            mallory.review(own.id, ReviewAction.APPROVE)
        for item in items[:3]:
            mallory.review(item.id, ReviewAction.APPROVE)
        with pytest.raises(AlreadyReviewed):
            mallory.review(items[0].id, ReviewAction.APPROVE)
    assert [entry.standing for entry in known(sqlite_api)] == [KnownStanding.CHECKING]
    assert told(scan(sqlite_api, "bob", HONEST)) == ("ham", *CHECKING), "unsure, and no verdict"
    settled(sqlite_api)
    with sqlite_api.client("customer") as customer:
        assert customer.inbox().notices == []
    decide(sqlite_api, items[3].id, ReviewAction.REJECT, reviewer="otto")
    assert [entry.standing for entry in known(sqlite_api)] == [KnownStanding.ENDED]
    assert told(scan(sqlite_api, "bob", HONEST)) == ("ham", *MODEL)


PARAPHRASE = (
    "Dear client, your parcel is held at our depot. Settle the fee of 2 at https://x.example/b"
)
NEAR = "Your parcel has arrived at our depot. Collect it until 8 today, no fee to pay"


@pytest.fixture
def fixed_key(tmp_path: Path) -> None:
    """Let sketches come out the same each time: whether one finds a paraphrase is a matter of luck.

    Of paraphrases as unlike as these a look-up finds four in five.
    """
    ring = json.loads(new_ring(datetime.now(UTC)))
    ring["fingerprint"] = base64.b64encode(b"c" * 32).decode()
    (tmp_path / "messages.json").write_text(json.dumps(ring))


@pytest.mark.usefixtures("fixed_key")
def test_what_reads_much_like_a_scam_is_marked_unless_people_stand_for_such_words(
    request: pytest.FixtureRequest,
) -> None:
    sqlite_api: RunningApi = request.getfixturevalue("sqlite_api")  # once the key is there
    entry = confirmed(sqlite_api)
    marked = scan(sqlite_api, "bob", PARAPHRASE)
    assert told(marked) == ("ham", *CHECKING)
    assert marked.known is not None
    assert "reads much like a scam that 2 people reported" in marked.known.reason
    assert told(scan(sqlite_api, "bob", NEAR)) == ("ham", *MODEL)
    with sqlite_api.client("rita", "reviewer") as rita:
        rita.undo_known(entry.id, "start again")
    for number in range(3):
        report(sqlite_api, f"honest-{number}", PARAPHRASE, FeedbackType.CONFIRMED)
    other = SCAM.replace("post-pay", "pay-post")
    decide(sqlite_api, report(sqlite_api, "eve", other).id)
    decide(sqlite_api, report(sqlite_api, "dan", other).id, reviewer="otto")
    assert told(scan(sqlite_api, "carl", other))[0] == "spam"
    assert told(scan(sqlite_api, "bob", PARAPHRASE)) == ("ham", *MODEL)


def test_one_entry_that_suddenly_matches_much_shows_in_the_metrics(sqlite_api: RunningApi) -> None:
    confirmed(sqlite_api)
    for number in range(3):
        scan(sqlite_api, f"user-{number}", COPY)
    page = httpx.get(f"{sqlite_api.url}/metrics", trust_env=False, timeout=PATIENCE_SECONDS).text
    assert 'shield_known_busiest_matches{model_type="sms"} 4.0' in page
    sqlite_api.clock.move_on(3700)
    page = httpx.get(f"{sqlite_api.url}/metrics", trust_env=False, timeout=PATIENCE_SECONDS).text
    assert 'shield_known_busiest_matches{model_type="sms"} 0.0' in page
    assert "shield_outbox_waiting_seconds" in page


@contextmanager
def skewed(folder: Path, url: str, seconds: float) -> Iterator[Services]:
    clock = MovableClock(ahead_seconds=seconds)
    with running_services(folder, url, clock=clock, outbox_lease_seconds=1) as services:
        yield services


@pytest.mark.xdist_group("postgres")
def test_replicas_whose_clocks_disagree_share_work_and_leases(tmp_path: Path) -> None:
    url = new_migrated_database()
    done: list[str] = []

    def dies(services: Services, job: object) -> None:
        raise SystemExit("the process ends here, with the lease in its hand")

    with skewed(tmp_path, url, 3600) as ahead, skewed(tmp_path, url, -3600) as behind:
        with open_context(ahead, POSTMAN) as ctx:
            post(ctx, "task", "one")
        with pytest.raises(SystemExit):
            Worker(ahead, {"task": dies}, "ahead").work()
        worker = Worker(behind, {"task": lambda _, job: done.append(job.subject)}, "behind")
        wait_until(lambda: worker.work() or done)
        assert done == ["one"], "the lease ended by the database's clock, not in an hour"
        with behind.reading() as session:
            assert session.scalars(select(OutboxRow.id)).all() == []
            assert session.scalars(select(Notice.id)).all() == []


@pytest.mark.xdist_group("postgres")
def test_replicas_whose_clocks_disagree_answer_and_take_back_alike(tmp_path: Path) -> None:
    """Changes are numbered by the database: no clock decides what is newer."""
    url = new_migrated_database()
    with (
        model_server() as arm,
        running_api(tmp_path, url, prepare=lambda its: deploy(its.rollouts, arm)) as ahead,
        running_api(tmp_path, url) as behind,
    ):
        ahead.clock.move_on(3600)
        behind.clock.move_on(-3600)
        wait_until(lambda: behind.services.router.split(ModelType.SMS))
        scan(behind, "carl", COPY)
        entry = confirmed(ahead)
        wait_until(lambda: told(scan(behind, "bob", COPY))[0] == "spam")
        assert told(scan(ahead, "bob", COPY))[0] == "spam"
        settled(ahead)
        with behind.client("carl") as carl:
            inbox = carl.inbox()
            assert [notice.kind for notice in inbox.notices] == [NoticeKind.REVISED]
        with behind.client("otto", "reviewer") as otto:
            otto.undo_known(entry.id, "a mistake")
        for api in (behind, ahead):
            assert told(scan(api, "bob", COPY)) == ("ham", *MODEL)
        settled(behind)
        with ahead.client("carl") as carl:
            news = carl.inbox(after=inbox.cursor)
            assert [notice.kind for notice in news.notices] == [NoticeKind.TAKEN_BACK]
