"""Reviewing: campaigns, proposals, second looks, gold, claims, undo, trust, bursts."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from shield.errors import AlreadyReviewed, Conflict, Forbidden
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import FeedbackStatus, GoldRequest, PendingItem, ReviewAction
from tests.integration.api.conftest import wait_for_split
from tests.integration.api.steps import decide, http, report, scan
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server

FLOOD = [
    "Your parcel 4711 is held. Pay 1.99 at http://post-pay.example/a1 today",
    "Your parcel 8829 is held. Pay 2.49 at http://a1.post-pay.example/zz today",
    "Y\u043eur parcel 10 is held.  Pay 3.00 at www.post-pay.example today",
    "Your par\u200bcel 77 is held - pay 1.00 at http://x.post-pay.example/77 today!",
]


def queue(api: RunningApi, reviewer: str = "rita", group: str = "campaign") -> list[PendingItem]:
    with http(api, reviewer, "reviewer") as client:
        answer = client.get("/api/v2/feedback/pending", params={"group": group, "limit": 200})
        return [PendingItem.model_validate(item) for item in answer.json()["data"]]


def test_near_identical_messages_are_one_item_and_one_decision_covers_all(
    api: RunningApi,
) -> None:
    for number, text in enumerate(FLOOD):
        report(api, f"user{number}", text)
    liar = report(api, "liar", FLOOD[0], FeedbackType.CONFIRMED)
    other = report(api, "ann", "Shall we have lunch on Friday?")
    items = queue(api)
    assert len(items) == 2
    flood = next(item for item in items if item.id != other.id)
    assert flood.campaign is not None
    assert (flood.campaign.pending, flood.campaign.reporters) == (5, 5)
    assert len(flood.campaign.variants) >= 3
    with api.client("rita", "reviewer") as client:
        shown = flood.campaign.shown
        client.review(flood.id, ReviewAction.APPROVE, scope="campaign", shown=shown)
    assert [item.id for item in queue(api)] == [other.id]
    with api.client("liar") as client:
        scans = {s.feedback.id: s.feedback for s in client.scans() if s.feedback}
        assert scans[liar.id].status == "rejected", "the liar said the opposite of the truth"


def test_a_campaigns_decision_settles_what_was_shown_and_newcomers_wait(api: RunningApi) -> None:
    first = report(api, "ann", FLOOD[0])
    report(api, "bob", FLOOD[0].replace("4711", "12"))
    (item,) = queue(api)
    assert item.campaign is not None
    assert len(item.campaign.shown) == 2
    late = report(api, "cat", FLOOD[0])
    other = report(api, "dan", FLOOD[0] + " please")
    assert other.campaign_id == first.campaign_id
    with api.client("rita", "reviewer") as rita:
        shown = item.campaign.shown
        rita.review(item.id, ReviewAction.APPROVE, scope="campaign", shown=shown)
        assert {one.id for one in queue(api, group="none")} == {late.id, other.id}
        rita.review(late.id, ReviewAction.APPROVE, scope="campaign")
        assert [one.id for one in queue(api, group="none")] == [other.id], "it reads otherwise"
    with api.client("root", "admin") as admin:
        entry = admin.audit(action="feedback.approve").items[-1]
        assert entry.details["shown"] == item.campaign.shown


def test_a_new_arrival_of_a_decided_campaign_is_proposed_the_same_answer_never_decided(
    api: RunningApi,
) -> None:
    decide(api, report(api, "ann", FLOOD[0]).id)
    late = report(api, "bob", FLOOD[1])
    lying = report(api, "eve", FLOOD[2], FeedbackType.CONFIRMED)
    items = {item.id: item for item in queue(api, "otto", group="none")}
    assert items[late.id].status is FeedbackStatus.PENDING
    proposal, against = items[late.id].proposal, items[lying.id].proposal
    assert proposal is not None
    assert against is not None
    assert (proposal.action, against.action) == ("approve", "reject")
    assert "rita" in proposal.why


def test_the_same_words_with_another_host_are_another_campaign(api: RunningApi) -> None:
    report(api, "ann", "Join the meeting about your account at https://zoom.us/j/4711 today")
    report(api, "bob", "Join the meeting about your account at https://bank-login.example/j today")
    report(api, "cat", "Join the meeting about your account today")
    assert len(queue(api)) == 3


def test_messages_that_differ_are_different_campaigns(api: RunningApi) -> None:
    report(api, "ann", "Your parcel is held. Pay the fee today")
    report(api, "bob", "Mum, this is my new number, please send me money")
    report(api, "cat", "Your parcel is held. Pay the fee today", kind=ScanType.PHISHING)
    assert len(queue(api)) == 3


def test_undoing_a_campaigns_decision_takes_all_of_it_back(api: RunningApi) -> None:
    ids = [report(api, f"user{n}", text).id for n, text in enumerate(FLOOD)]
    with api.client("rita", "reviewer") as client:
        client.review(ids[0], ReviewAction.APPROVE, scope="campaign", shown=ids)
        assert queue(api) == []
        client.undo_review(ids[2], "misclick")
    assert len(queue(api, group="none")) == 4
    assert queue(api)[0].campaign.pending == 4  # type: ignore[union-attr]


def test_an_undo_is_refused_to_others_when_late_and_when_a_batch_holds_the_item(
    api: RunningApi,
) -> None:
    item = report(api, "ann", "a parcel waits")
    decide(api, item.id)
    with api.client("otto", "reviewer") as otto, pytest.raises(Forbidden, match="rita decided"):
        otto.undo_review(item.id)
    with api.client("pipeline", "pipeline") as service:
        batch = service.lease_batch(ModelType.SMS, "run-1", minimum=1).batch
        assert batch is not None
        with api.client("rita", "reviewer") as rita, pytest.raises(Conflict, match=batch.id):
            rita.undo_review(item.id)
        service.release_batch(batch.id, "run-1", "failed")
    api.clock.move_on(3601)
    with api.client("rita", "reviewer") as rita, pytest.raises(Conflict, match="too old"):
        rita.undo_review(item.id)


def test_a_claimed_item_is_kept_for_its_reviewer_until_the_claim_ends(api: RunningApi) -> None:
    item = report(api, "ann", "a parcel waits")
    with http(api, "rita", "reviewer") as rita:
        assert rita.post(f"/api/v2/feedback/{item.id}/claim").status_code == 200
    assert queue(api, "otto", "none") == []
    with pytest.raises(Conflict, match="rita is looking at"):
        decide(api, item.id, reviewer="otto")
    api.clock.move_on(601)
    assert [one.id for one in queue(api, "otto", "none")] == [item.id]
    assert decide(api, item.id, reviewer="otto").status is FeedbackStatus.APPROVED


def test_trust_rises_with_approved_and_falls_with_rejected_reports(api: RunningApi) -> None:
    for number in range(4):
        decide(api, report(api, "good", f"honest report {chr(97 + number) * 9}").id)
        bad = report(api, "bad", f"lying report {chr(107 + number) * 9}")
        decide(api, bad.id, ReviewAction.REJECT)
    report(api, "good", "one more from a good one")
    report(api, "bad", "now from a bad one, again")
    trusts = [item.reporters[0].trust for item in queue(api, group="none")]
    assert trusts[0] > 0.55, "the good reporter's item comes first"
    assert trusts[1] < 0.15
    assert all("reporter right in about" in item.rank.reason for item in queue(api))


def test_confirmations_earn_no_trust(api: RunningApi) -> None:
    for number in range(4):
        item = report(api, "yes", f"lunch {chr(97 + number) * 9}", FeedbackType.CONFIRMED)
        decide(api, item.id)
    report(api, "yes", "an honest first correction")
    assert queue(api, group="none")[0].reporters[0].trust < 0.25


def test_a_decision_that_is_undone_leaves_no_trace_in_the_record(api: RunningApi) -> None:
    item = report(api, "ann", "a parcel waits")
    before = queue(api, group="none")[0].reporters[0].trust
    decide(api, item.id)
    with api.client("rita", "reviewer") as rita:
        rita.undo_review(item.id)
    assert queue(api, group="none")[0].reporters[0].trust == pytest.approx(before, abs=0.01)


def test_a_burst_from_new_accounts_is_flagged_once_there_are_old_accounts(
    api: RunningApi,
) -> None:
    report(api, "an-old-hand", "hello from long ago")
    api.clock.move_on(30 * 86400)
    for number in range(6):
        report(api, f"fresh{number}", FLOOD[number % 4])
    flood = next(i for i in queue(api) if i.campaign and i.campaign.reporters == 6)
    assert flood.campaign is not None
    assert flood.campaign.burst
    assert all(reporter.is_new for reporter in flood.reporters)


@pytest.fixture
def strict_api(tmp_path: Path, database_url: str) -> Iterator[RunningApi]:
    """Every item needs two reviewers; every scan of who agreed joins the audit sample."""
    with (
        model_server() as url,
        running_api(tmp_path, database_url, second_review_share=1.0, audit_sample_share=1.0) as api,
    ):
        deploy(api.services.rollouts, url)
        wait_for_split(api)
        yield api


def test_a_second_reviewer_looks_blind_and_a_disagreement_goes_to_a_third(
    strict_api: RunningApi,
) -> None:
    api = strict_api
    # A lone reviewer decides alone; from then on there are colleagues.
    assert decide(api, report(api, "z", "first of all").id).status is FeedbackStatus.APPROVED
    item = report(api, "ann", "a parcel waits")
    first = decide(api, item.id, ReviewAction.APPROVE, "otto")
    assert first.status is FeedbackStatus.PENDING
    with pytest.raises(AlreadyReviewed, match="judged"):
        decide(api, item.id, ReviewAction.APPROVE, "otto")
    assert item.id not in [one.id for one in queue(api, "otto", "none")]
    blind = next(one for one in queue(api, "rita", "none") if one.id == item.id)
    assert blind.blind
    assert blind.reviewed_by is None
    assert "otto" not in blind.model_dump_json()
    second = decide(api, item.id, ReviewAction.REJECT, "rita")
    assert second.status is FeedbackStatus.PENDING
    third = decide(api, item.id, ReviewAction.REJECT, "tina")
    assert third.status is FeedbackStatus.REJECTED
    with api.client("rita", "reviewer") as client:
        quality = client.quality()
    assert quality.compared == 1, "the third look breaks a tie and says nothing of agreement"
    assert quality.kappa == 0


def test_gold_items_look_like_others_and_measure_each_reviewer(api: RunningApi) -> None:
    with api.client("root", "admin") as admin:
        gold = admin.seed_gold(
            GoldRequest(
                scan_type=ScanType.TEXT,
                text="Claim your lottery win",
                verdict="ham",
                feedback_type=FeedbackType.FALSE_NEGATIVE,
                answer=ReviewAction.APPROVE,
            )
        )
    shown = queue(api, "rita", "none")[0].model_dump_json()
    assert "gold" not in shown
    assert decide(api, gold.id, ReviewAction.APPROVE, "rita").status is FeedbackStatus.APPROVED
    assert decide(api, gold.id, ReviewAction.REJECT, "otto").status is FeedbackStatus.REJECTED
    assert queue(api, "rita", "none") == []
    with api.client("root", "admin") as admin:
        found = {one.reviewer: one.gold.value for one in admin.quality().reviewers}
        assert found == {"rita": 1.0, "otto": 0.0}
        assert admin.stats().by_status["pending"] == 0, "gold is no feedback"
    with api.client("pipeline", "pipeline") as service:
        assert service.lease_batch(ModelType.SMS, "run-1", minimum=0).count == 0
    with api.client("rita", "reviewer") as rita:
        rita.undo_review(gold.id)
    assert [one.id for one in queue(api, "rita", "none")] == [gold.id]


def test_the_audit_sample_takes_only_who_agreed_and_gives_true_rates(
    strict_api: RunningApi,
) -> None:
    api = strict_api
    with api.client("ann") as ann:
        ann.set_consent(True)
    for n in range(4):
        scan(api, "ann", f"you win {chr(97 + n) * 9}")  # judged a scam
        scan(api, "ann", f"lunch {chr(107 + n) * 9}")  # judged harmless
    scan(api, "shy", "you win a private message")
    items = queue(api, "rita", "none")
    assert len(items) == 8
    for item in items:
        # In truth three of four wins are scams, and one lunch is one as well.
        scam = "win" in item.scan.text and "aaa" not in item.scan.text
        scam = scam or "kkk" in item.scan.text
        truth = "spam" if scam else "ham"
        action = ReviewAction.APPROVE if item.corrected_label == truth else ReviewAction.REJECT
        decide(api, item.id, action, "rita")
        if item.id in [one.id for one in queue(api, "otto", "none")]:
            decide(api, item.id, action, "otto")
    with api.client("rita", "reviewer") as rita:
        rates = rita.stats().rates
    assert rates.false_positive_rate.value == pytest.approx(1 / 4)
    assert rates.false_negative_rate.value == pytest.approx(1 / 4)
    assert rates.false_positive_rate.low < 0.25 < rates.false_positive_rate.high  # type: ignore[operator]


def test_every_decision_is_in_the_audit_log_and_the_chain_notices_a_change(
    api: RunningApi,
) -> None:
    from sqlalchemy import text

    item = report(api, "ann", "a parcel waits")
    decide(api, item.id)
    queue(api)
    with api.client("root", "admin") as admin:
        whole = admin.audit_verify()
        assert whole.broken_at is None
        actions = [entry.action for entry in admin.audit()]
        assert "feedback.approve" in actions
        with api.services.engine.begin() as connection:
            connection.execute(
                text("UPDATE audit_log SET actor = 'nobody' WHERE action = 'feedback.approve'")
            )
        broken = admin.audit_verify()
    assert broken.broken_at is not None
    assert "was changed" in broken.problem


def seed(api: RunningApi, text: str, answer: ReviewAction = ReviewAction.APPROVE) -> str:
    with api.client("root", "admin") as admin:
        gold = GoldRequest(
            scan_type=ScanType.TEXT,
            text=text,
            verdict="ham",
            feedback_type=FeedbackType.FALSE_NEGATIVE,
            answer=answer,
        )
        return admin.seed_gold(gold).id


def test_nothing_that_a_reviewer_can_read_tells_gold_from_other_items(api: RunningApi) -> None:
    gold = seed(api, "Claim your lottery win")
    plain = report(api, "ann", "Claim your inheritance in cash")
    with api.client("rita", "reviewer") as rita, api.client("root", "admin") as root:
        answers = [rita.review(one, ReviewAction.APPROVE, "seen") for one in (gold, plain.id)]
        told = [
            {name for name, value in answer.model_dump().items() if value is not None}
            for answer in answers
        ]
        assert told[0] == told[1], "the same members are filled"
        entries = [(line.action, line.details.keys()) for line in rita.audit(limit=100)]
        assert entries[:2] == entries[2:4], "the log holds the same about both"
        of_plain, of_gold = rita.known()
        assert (of_plain.standing, of_plain.reporters) == (of_gold.standing, of_gold.reporters)
        assert "gold.seed" not in [action for action, _ in entries]
        assert "gold.seed" in [line.action for line in root.audit(limit=100)]
        assert rita.quality().reviewers[0].gold.n == 0, "it could still be taken back"
        api.clock.move_on(3601)
        assert rita.quality().reviewers[0].gold.n == 1


def test_gold_items_have_ranks_and_reporters_like_real_ones(api: RunningApi) -> None:
    for number in range(3):
        decide(api, report(api, "ann", f"a parcel waits {chr(97 + number) * 9}").id)
    plain = report(api, "ann", "Claim your inheritance in cash")
    gold = seed(api, "Claim your lottery win")
    items = {item.id: item for item in queue(api, group="none")}
    ranks = [
        {reason.name: reason.text for reason in items[one].rank.reasons if reason.name != "age"}
        for one in (gold, plain.id)
    ]
    assert ranks[0] == ranks[1], "the model is as sure of either"
    one, other = items[gold].reporters[0], items[plain.id].reporters[0]
    assert (one.trust, one.decided, one.is_new) == (other.trust, other.decided, other.is_new)
    assert one.pseudonym != other.pseudonym


def test_a_campaign_is_decided_through_a_gold_item_as_through_any_other(api: RunningApi) -> None:
    gold = seed(api, FLOOD[0])
    others = [report(api, f"user{n}", text).id for n, text in enumerate(FLOOD[1:])]
    with api.client("rita", "reviewer") as rita:
        rita.review(gold, ReviewAction.APPROVE, scope="campaign")
        assert rita.pending(limit=200).items == []
        rita.undo_review(others[0])
        assert {item.id for item in rita.pending(limit=200)} == {gold, *others}


def test_lots_cannot_be_foreseen_without_the_key_and_fall_as_often_as_asked() -> None:
    from api.kit.lots import lot

    names = [f"{number:032x}" for number in range(4000)]
    one, other = ([lot(key, "sample", name) for name in names] for key in (b"a", b"b"))
    assert one == [lot(b"a", "sample", name) for name in names]
    for drawn in (one, other):
        assert 0.08 < sum(value < 0.1 for value in drawn) / len(drawn) < 0.12
    both = sum(a < 0.1 and b < 0.1 for a, b in zip(one, other, strict=True))
    assert both < 80, "another key draws others"
