"""A sender without an account contests a flagged message; it joins the queue, and is answered."""

from datetime import timedelta

import httpx
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from api.kit.context import Services, open_context
from api.privacy import retention
from api.privacy.rotation import reseal
from api.tables import Contest, Feedback, Scan
from shield.client import ShieldClient
from shield.errors import NotFound, RateLimited
from shield.labels import FeedbackType, ModelType
from shield.wire import (
    ContestAnswer,
    ContestRequest,
    ContestState,
    DecidedBy,
    KnownStanding,
    ReviewAction,
)
from tests.integration.api.steps import decide, report, scan
from tests.support.api import RunningApi, running_api
from tests.support.waiting import PATIENCE_SECONDS

SHOP = "You win a voucher with your order 4711 at our shop, see https://shop.example/v for terms"
REASON = "We are the shop that sends it; our customers have asked for it."
SCAM = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"


def contested(
    api: RunningApi, text: str = SHOP, contact: str | None = "shop@example.org"
) -> ContestAnswer:
    with ShieldClient(api.url, None) as sender:
        return sender.contest(ContestRequest(text=text, reason=REASON, contact=contact))


def answered(api: RunningApi, receipt: str | None) -> ContestAnswer:
    assert receipt is not None
    with ShieldClient(api.url, None) as sender:
        return sender.contest_answer(receipt)


def test_a_contest_waits_beside_its_campaign_and_its_answer_is_read_by_receipt(
    api: RunningApi,
) -> None:
    reported = report(api, "ann", SHOP, FeedbackType.CONFIRMED)  # she believes the warning
    taken = contested(api)
    assert (taken.state, taken.answer) == (ContestState.WAITING, None)
    with api.client("rita", "reviewer") as rita:
        (listed,) = rita.contests().items
        assert (listed.text, listed.reason, listed.contact) == (SHOP, REASON, "shop@example.org")
        items = {item.id: item for item in rita.pending()}
        assert set(items) == {reported.id, listed.feedback_id}
        assert {item.campaign.id for item in items.values() if item.campaign} == {
            listed.campaign_id
        }
        for item in items.values():
            assert [mark.reason for mark in item.contests] == [REASON], "beside each of them"
        assert items[str(listed.feedback_id)].corrected_label == "ham"
        rita.review(str(listed.feedback_id), ReviewAction.APPROVE)
        rita.answer_contest(listed.id, "Thank you. Your next messages come through.")
    told = answered(api, taken.receipt)
    assert (told.state, told.receipt) == (ContestState.HARMLESS, None)
    assert told.answer == "Thank you. Your next messages come through."
    # The receipt is typed as people do.
    assert taken.receipt is not None
    assert answered(api, taken.receipt.lower().replace("-", " ")).state is ContestState.HARMLESS
    with api.client("root", "admin") as root:
        actions = {entry.action for entry in root.audit(limit=50)}
        assert {"contest.add", "contest.answer"} <= actions


def test_an_approved_contest_joins_the_next_batch_and_a_refused_one_does_not(
    sqlite_api: RunningApi,
) -> None:
    api = sqlite_api
    contested(api)
    contested(api, "You win a lot of money, send your code to the number below at once")
    with api.client("rita", "reviewer") as rita:
        for item in rita.pending():
            approves = item.scan.text == SHOP
            rita.review(item.id, ReviewAction.APPROVE if approves else ReviewAction.REJECT)
    with api.client("pipeline", "pipeline") as service:
        batch = service.lease_batch(ModelType.SMS, "run-1", minimum=1).batch
        assert batch is not None
    rows = pq.read_table(api.artifacts_root / batch.uri).to_pylist()
    assert [(row["text"], row["label"]) for row in rows] == [(SHOP, "ham")]
    assert REASON not in str(rows), "what senders say of themselves is not trained on"


def test_a_contest_ends_what_a_lone_reviewer_held_to_be_a_scam(sqlite_api: RunningApi) -> None:
    api = sqlite_api
    decide(api, report(api, "ann", SCAM).id)
    decide(api, report(api, "cat", SCAM).id, reviewer="otto")
    assert scan(api, "bob", SCAM).decided_by is DecidedBy.REVIEWERS
    taken = contested(api, SCAM)
    with api.client("olga", "reviewer") as olga:
        (listed,) = olga.contests().items
        assert listed.known_id == olga.known().items[0].id, "it was flagged by a decision"
        olga.review(str(listed.feedback_id), ReviewAction.APPROVE)
    with api.client("rita", "reviewer") as rita:  # what is contested gets a second, blind look
        assert answered(api, taken.receipt).state is ContestState.WAITING
        rita.review(str(listed.feedback_id), ReviewAction.APPROVE)
        standings = [entry.standing for entry in rita.known()]
    assert answered(api, taken.receipt).state is ContestState.HARMLESS
    assert KnownStanding.CONFIRMED not in standings, "reviewers contradict each other"
    assert scan(api, "bob", SCAM).decided_by is DecidedBy.MODEL


def test_a_decision_on_the_campaign_answers_no_contest(sqlite_api: RunningApi) -> None:
    """Two reviewers look at what is contested; one could answer it by deciding a report beside."""
    api = sqlite_api
    decide(api, report(api, "bob", SCAM).id, reviewer="otto")
    reported = report(api, "ann", SHOP, FeedbackType.CONFIRMED)
    taken = contested(api)
    with api.client("rita", "reviewer") as rita:
        (listed,) = rita.contests().items
        shown = [reported.id, str(listed.feedback_id)]
        rita.review(reported.id, ReviewAction.APPROVE, scope="campaign", shown=shown)
        assert [item.id for item in rita.pending()] == [listed.feedback_id]
    assert answered(api, taken.receipt).state is ContestState.WAITING


def test_what_is_not_flagged_is_answered_at_once_and_a_scam_stays_one(
    sqlite_api: RunningApi,
) -> None:
    api = sqlite_api
    plain = contested(api, "Lunch at twelve in the usual place, bring the book please")
    assert plain.state is ContestState.NOT_FLAGGED
    scam = contested(api, "You win a lot of money, send your code to the number below at once")
    with api.client("rita", "reviewer") as rita:
        assert len(list(rita.pending())) == 1
        listed = rita.contests().items[0]
        assert {each.text for each in rita.contests().items} >= {None}, "not kept: not needed"
        rita.review(str(listed.feedback_id), ReviewAction.REJECT)
    assert answered(api, scam.receipt).state is ContestState.SCAM


def test_contests_look_like_nobody_and_count_for_no_version(sqlite_api: RunningApi) -> None:
    """Else whoever contests a scam often enough would make it too ordinary to be known."""
    api = sqlite_api
    for number in range(8):
        contested(api, f"{SCAM} or tomorrow at {number}. Win!")
    with api.services.sessions() as session:
        scans = session.scalars(select(Scan)).all()
        assert len(scans) == 8
        assert all(row.forced and row.sketch is None and row.known_id is None for row in scans)
    decide(api, report(api, "ann", SCAM).id)
    with api.client("rita", "reviewer") as rita:
        (entry,) = rita.known()
        assert entry.standing is KnownStanding.CHECKING
        assert (entry.checked.unobjected, entry.checked.kin) == (0, 0)


def test_a_sender_takes_everything_back_by_receipt(sqlite_api: RunningApi) -> None:
    api = sqlite_api
    taken = contested(api)
    with ShieldClient(api.url, None) as sender:
        assert taken.receipt is not None
        sender.withdraw_contest(taken.receipt)
        with pytest.raises(NotFound, match="no such receipt"):
            sender.contest_answer(taken.receipt)
    with api.services.sessions() as session:
        assert not session.scalar(select(func.count()).select_from(Contest))
        assert not session.scalar(select(func.count()).select_from(Feedback))
        assert session.scalars(select(Scan.text_sealed)).all() == [None]


def test_a_flood_of_contests_is_stopped_by_address_and_by_what_waits(tmp_path) -> None:
    from tests.support.arms import deploy, model_server

    with (
        model_server() as arm,
        running_api(
            tmp_path,
            prepare=lambda services: deploy(services.rollouts, arm),
            rate_contests="3/hour",
            contests_waiting=2,
        ) as api,
    ):
        for number in range(2):
            contested(api, f"You win number {number}, says our shop at the corner of the street")
        with pytest.raises(RateLimited, match="take no more for now"):
            contested(api, "You win once more, says our shop at the corner of the street")
        with pytest.raises(RateLimited, match="3 per 1 hour"):
            contested(api, "You win once more, says our shop at the corner of the street")
        with open_context(api.services, retention.CARETAKER) as ctx:
            assert ctx.session.scalar(select(func.count()).select_from(Contest)) == 2


def test_bad_input_is_refused_with_its_cure_and_contests_can_be_off(tmp_path) -> None:
    with running_api(tmp_path, contests=False) as api:

        def post(path: str, body: object) -> httpx.Response:
            return httpx.post(
                f"{api.url}/api/v2{path}", json=body, trust_env=False, timeout=PATIENCE_SECONDS
            )

        off = post("/contests", {"text": SHOP, "reason": REASON})
        assert (off.status_code, "cannot be contested here" in off.json()["detail"]) == (404, True)
        assert post("/contests", {"text": SHOP, "reason": ""}).status_code == 422
        assert post("/contests/answer", {"receipt": ""}).status_code == 422


def test_answers_are_forgotten_in_time_sealed_anew_and_those_that_wait_are_kept(
    sqlite_api: RunningApi,
) -> None:
    api = sqlite_api
    decided, waiting = contested(api), contested(api, SHOP.replace("voucher", "scarf") + " Win!")
    with api.client("rita", "reviewer") as rita:
        items = {item.scan.text: item.id for item in rita.pending()}
        rita.review(items[SHOP], ReviewAction.APPROVE)
        (row,) = [each for each in rita.contests() if each.text == SHOP]
        rita.answer_contest(row.id, "Welcome.")
    services: Services = api.services
    assert reseal(services) == 0, "all of it is sealed with the active key"
    api.clock.move_on(timedelta(days=91).total_seconds())
    retention.look_after(services)
    assert answered(api, waiting.receipt).state is ContestState.WAITING
    with pytest.raises(NotFound):
        answered(api, decided.receipt)
