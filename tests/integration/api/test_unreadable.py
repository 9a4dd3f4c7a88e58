"""One stored text that cannot be read is told as such, and takes no other with it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from sqlalchemy import select

from api.kit.keyring import UNREADABLE, KeyRing, new_ring
from api.tables import Campaign, Contest, Feedback, Scan
from shield.client import ShieldClient
from shield.errors import Conflict, Misconfigured
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import ContestRequest, ReviewAction
from tests.integration.api.steps import decide, http, report, scan
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.desk import signed_in

LOST = "You win a voucher with your order 4711 at our shop, see https://shop.example/v for terms"
SCAM = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"
KEPT = "Shall we have lunch at the café on Friday?"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with (
        model_server() as arm,
        running_api(
            tmp_path, prepare=lambda services: deploy(services.rollouts, arm), embedded=True
        ) as running,
    ):
        yield running


def spoil(api: RunningApi) -> None:
    """Change all that is stored of messages but `KEPT`, as a fault of the disk would."""
    with api.services.sessions() as session:
        for row in session.scalars(select(Scan)):
            if api.services.ring.open(row.text_sealed or b"", row.id) == KEPT:
                continue
            row.text_sealed = spoilt(row.text_sealed)
            for item in session.scalars(select(Feedback).where(Feedback.scan_id == row.id)):
                if item.comment_sealed:
                    item.comment_sealed = spoilt(item.comment_sealed)
                campaign = session.get_one(Campaign, item.campaign_id)
                campaign.sample_sealed = b"no such key: no text"
        for contest in session.scalars(select(Contest)):
            contest.reason_sealed = spoilt(contest.reason_sealed)
        session.commit()


def spoilt(sealed: bytes | None) -> bytes:
    assert sealed is not None
    return sealed[:-1] + bytes([sealed[-1] ^ 1])


def test_one_s_own_scans_are_listed_without_it(api: RunningApi) -> None:
    scan(api, "ada", LOST)
    scan(api, "ada", KEPT)
    spoil(api)
    with api.client("ada") as client:
        assert [each.text for each in client.scans()] == [KEPT, None]


def test_the_desk_shows_the_others_and_says_which_cannot_be_read(
    api: RunningApi, caplog: pytest.LogCaptureFixture
) -> None:
    with api.client("ada") as ada:
        lost = ada.scan(ScanType.TEXT, LOST)
        ada.send_feedback(lost.id, FeedbackType.CONFIRMED, comment="what is this?")
    api.clock.move_on(60)
    report(api, "ben", KEPT)
    with ShieldClient(api.url, None) as sender:
        sender.contest(ContestRequest(text=LOST, reason="We are the shop that sends it."))
    spoil(api)
    with api.client("rita", "reviewer") as rita:
        items = list(rita.pending())
        assert {item.scan.text for item in items} == {UNREADABLE, KEPT}
        assert UNREADABLE in {item.comment for item in items}
        (contest,) = rita.contests().items
        assert (contest.text, contest.reason) == (UNREADABLE, UNREADABLE)
    with http(api, "rita", "reviewer") as client:
        hits = client.get("/api/v2/feedback/pending", params={"q": "lunch"}).json()["data"]
        assert [item["scan"]["text"] for item in hits] == [KEPT]
    with signed_in(api) as rita_at_the_desk:
        page = rita_at_the_desk.get("/review")
        assert page.status_code == 200
        assert "lunch" in page.text
    assert "left out a text that cannot be read" in caplog.text
    assert report(api, "eve", LOST, FeedbackType.CONFIRMED).id, "compared with those that are left"


def test_what_is_made_of_many_messages_does_without_it(api: RunningApi) -> None:
    decide(api, report(api, "ada", LOST, FeedbackType.CONFIRMED).id, ReviewAction.APPROVE)
    spoil(api)
    with http(api, "root", "admin", "reviewer", "user") as client:
        for path in ("known", "device/text/known"):
            answer = client.get(f"/api/v2/{path}")
            assert answer.status_code == 200, (path, answer.text)
    with signed_in(api) as rita:
        for path in ("/review/guide", "/review/known"):
            assert rita.get(path).status_code == 200, path
    assert scan(api, "ben", LOST).verdict == "spam"


def test_what_cannot_be_read_is_neither_approved_nor_rejected_nor_has_a_tactic(
    api: RunningApi,
) -> None:
    lost = report(api, "ada", LOST, FeedbackType.CONFIRMED)
    spoil(api)
    with api.client("rita", "reviewer") as rita:
        (item,) = rita.pending().items
        assert (item.scan.text, item.tactic) == (UNREADABLE, None)
        for action in ReviewAction:
            with pytest.raises(Conflict, match="cannot be read"):
                rita.review(lost.id, action, "seen")
    whole = report(api, "eve", LOST, FeedbackType.CONFIRMED)
    with api.client("rita", "reviewer") as rita:
        rita.review(whole.id, ReviewAction.APPROVE, "seen", scope="campaign", shown=[lost.id])
        assert [item.id for item in rita.pending().items] == [lost.id], "nobody saw its text"


def test_a_copy_that_can_be_read_is_decided_and_starts_no_known_campaign(api: RunningApi) -> None:
    report(api, "ada", LOST, FeedbackType.FALSE_POSITIVE)
    spoil(api)
    copy = report(api, "eve", LOST, FeedbackType.FALSE_POSITIVE)
    assert decide(api, copy.id).status == "approved"
    with api.client("rita", "reviewer") as rita:
        assert rita.known().items == []


def test_a_decided_message_that_cannot_be_read_holds_up_no_lease_and_no_export(
    api: RunningApi, caplog: pytest.LogCaptureFixture
) -> None:
    decide(api, report(api, "ada", LOST, FeedbackType.CONFIRMED).id)
    kept = decide(api, report(api, "ben", KEPT).id)
    spoil(api)
    with http(api, "root", "admin", "reviewer", "user") as client:
        read = client.get("/api/v2/feedback/export").json()
        assert ([row["id"] for row in read["data"]], read["unreadable"]) == ([kept.id], 1)
        table = client.get("/api/v2/feedback/export", params={"format": "csv"}).text
        assert kept.id in table
        assert len(table.splitlines()) == 2
    with api.client("loop", "pipeline") as pipeline:
        batch = pipeline.lease_batch(ModelType.SMS, "run-1", minimum=1)
        assert (batch.count, batch.unreadable) == (1, 1)
        few = pipeline.lease_batch(ModelType.SMS, "run-2", minimum=1)
        assert (few.outcome, few.count, few.unreadable) == ("too_few", 0, 1)
    assert "1 corrections of sms cannot be read: left out" in caplog.text


@pytest.mark.parametrize("length", range(30))
def test_a_text_that_is_cut_off_is_unreadable(length: int) -> None:
    ring = KeyRing.parse(new_ring(datetime.now(UTC)))
    cut = ring.seal("Lunch?", "row-1")[:length]
    with pytest.raises(Misconfigured):
        ring.open(cut, "row-1")
    assert ring.shown(cut, "row-1") is None


def lose_the_key(api: RunningApi) -> None:
    """Seal all messages and samples with a key that the ring does not hold any more."""
    another = KeyRing.parse(new_ring(datetime.now(UTC)))
    with api.services.sessions() as session:
        for row in session.scalars(select(Scan)):
            row.text_sealed = another.seal("?", row.id)
        for campaign in session.scalars(select(Campaign)):
            campaign.sample_sealed = another.seal("?", campaign.id)
        session.commit()


def test_nothing_is_signed_while_a_key_is_missing(tmp_path: Path) -> None:
    with (
        model_server() as arm,
        running_api(
            tmp_path,
            prepare=lambda services: deploy(services.rollouts, arm),
            embedded=True,
            known_feed=True,
        ) as api,
        http(api, "rita", "reviewer") as client,
    ):
        sent = [report(api, user, SCAM) for user in ("ann", "ben", "cat")]
        decide(api, sent[0].id)
        decide(api, sent[1].id, reviewer="otto")
        lose_the_key(api)
        for path in ("device/text/known", "feed"):
            answer = client.get(f"/api/v2/{path}")
            assert answer.status_code == 500, (path, answer.text)
            assert "which the key ring does not hold" in answer.json()["detail"]
            assert "signature" not in answer.text


def test_what_is_to_act_on_it_alone_is_told(api: RunningApi) -> None:
    scan(api, "ada", LOST)
    spoil(api)
    with api.services.sessions() as session:
        row = session.scalars(select(Scan)).one()
        with pytest.raises(Misconfigured):
            api.services.ring.open(row.text_sealed or b"", row.id)
        assert api.services.ring.shown(row.text_sealed or b"", row.id) is None


def test_an_erasure_makes_a_snapshot_that_was_cut_off_anew(api: RunningApi) -> None:
    for user, text in (("ada", SCAM), ("ben", KEPT)):
        decide(api, report(api, user, text).id, ReviewAction.APPROVE)
    with api.client("pipeline", "pipeline") as service:
        assert service.lease_batch(ModelType.SMS, "run-1", minimum=1).count == 2
        (batch,) = service.batches()
    file = api.artifacts_root / batch.uri
    file.write_bytes(file.read_bytes()[:-50])
    with api.client("ada") as ada:
        assert ada.erase_me().batches == [batch.id]
    with api.client("pipeline", "pipeline") as service:
        (kept,) = service.batches()
    rows = pq.read_table(api.artifacts_root / kept.uri).to_pylist()
    assert [row["text"] for row in rows] == [KEPT]
