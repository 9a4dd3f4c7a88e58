"""What a decision says: of the message, by which tactic, for which reason; and the guidelines."""

from pathlib import Path

import pytest

from shield.errors import AlreadyReviewed, Invalid
from shield.labels import FeedbackType, ScanType
from shield.wire import Decision, FeedbackStatus, GoldRequest, ReviewAction
from tests.integration.api.steps import http, report
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server

CLAIMED = {
    "You win a prize": FeedbackType.FALSE_POSITIVE,  # the model says scam, the reporter harmless
    "Lunch at noon?": FeedbackType.FALSE_NEGATIVE,  # harmless, and the reporter says scam
    "You win a car": FeedbackType.CONFIRMED,
}


@pytest.mark.parametrize("decision", list(Decision))
def test_a_decision_makes_the_same_label_true_whatever_was_claimed(
    api: RunningApi, decision: Decision
) -> None:
    with api.client("rita", "reviewer") as rita:
        for text, claim in CLAIMED.items():
            item = report(api, f"by {text}", text, claim)
            settled = rita.review(item.id, decision)
            approved = settled.status is FeedbackStatus.APPROVED
            truth = item.corrected_label if approved else "other"
            assert (truth == "spam") == (decision is Decision.SCAM and approved)
            assert approved == ((item.corrected_label == "spam") == (decision is Decision.SCAM))


def test_a_decision_and_an_action_at_once_are_refused(api: RunningApi) -> None:
    item = report(api, "ann", "Lunch at noon?")
    with http(api, "rita", "reviewer") as rita:
        both = {"decision": "scam", "action": "approve"}
        for body in (both, {}, {"decision": "spam"}):
            assert rita.put(f"/api/v2/feedback/{item.id}", json=body).status_code == 422


def test_the_second_learns_what_the_first_found(api: RunningApi) -> None:
    item = report(api, "ann", "Lunch at noon?")
    with api.client("rita", "reviewer") as rita, api.client("otto", "reviewer") as otto:
        rita.review(item.id, Decision.HARMLESS)
        with pytest.raises(AlreadyReviewed, match=r"rita has rejected .*: harmless") as met:
            otto.review(item.id, ReviewAction.APPROVE)
    assert met.value.extra["found"] == "harmless"


def test_a_tactic_stays_with_a_scam_and_goes_with_its_undoing(api: RunningApi) -> None:
    item = report(api, "ann", "Your parcel waits, pay the fee of 1.99 at post.example")
    with api.client("rita", "reviewer") as rita:
        with pytest.raises(Invalid, match="no 'parcels'"):
            rita.review(item.id, Decision.SCAM, tactic="parcels")
        with pytest.raises(Invalid, match="a harmless message has none"):
            rita.review(item.id, Decision.HARMLESS, tactic="parcel-fee")
        settled = rita.review(item.id, Decision.SCAM, tactic="parcel-fee")
        assert settled.review_tactic == "parcel-fee"
        assert rita.undo_review(item.id).review_tactic is None
        with pytest.raises(Invalid, match="no list of reasons"):
            rita.review(item.id, Decision.SCAM, reason="asks for money")
    with api.client("root", "admin") as admin:
        (entry,) = admin.audit(action="feedback.approve").items
    assert entry.details["tactic"] == "parcel-fee"


def test_the_queue_proposes_the_tactic_that_the_words_are_nearest_to(api: RunningApi) -> None:
    report(api, "ann", "Your parcel is held at customs. Pay the fee of 1.99 to have it delivered")
    with api.client("rita", "reviewer") as rita:
        (item,) = rita.pending().items
    assert item.tactic == "parcel-fee"


def test_a_team_s_reason_is_needed_guidelines_are_told_and_examples_hide_what_is_gold(
    tmp_path: Path,
) -> None:
    guidelines = tmp_path / "guidelines.txt"
    guidelines.write_text("Ask twice.\n\nThen decide.\n")
    with (
        model_server() as arm,
        running_api(
            tmp_path / "api",
            prepare=lambda services: deploy(services.rollouts, arm),
            review_reasons=["asks for money", "ordinary"],
            review_guidelines_file=guidelines,
        ) as api,
    ):
        with api.client("root", "admin") as admin:
            gold = [
                admin.seed_gold(
                    GoldRequest(
                        scan_type=ScanType.TEXT,
                        text=text,
                        verdict="spam",
                        feedback_type=FeedbackType.FALSE_POSITIVE,
                        answer=ReviewAction.REJECT,
                    )
                ).id
                for text in ("Claim your lottery money", "You were drawn, claim it", "Left alone")
            ]
        with api.client("rita", "reviewer") as rita:
            with pytest.raises(Invalid, match="one of 'asks for money', 'ordinary'; none was"):
                rita.review(gold[0], Decision.SCAM)
            with pytest.raises(Invalid, match="'because' is none of them"):
                rita.review(gold[0], Decision.SCAM, reason="because")
            right = rita.review(gold[0], Decision.SCAM, reason="asks for money")
            assert right.review_reason == "asks for money"
            rita.review(gold[1], Decision.HARMLESS, reason="ordinary")  # wrong
        guide = "/api/v2/review/guide"
        with http(api, "rita", "reviewer") as rita:
            read = rita.get(guide).json()["data"]
            assert read["text"] == "Ask twice.\n\nThen decide."
            assert read["reasons"] == ["asks for money", "ordinary"]
            assert "parcel-fee" in {one["id"] for one in read["tactics"]}
            assert read["examples"] == [], "it could still be taken back"
        api.clock.move_on(3601)
        example = {"text": "Claim your lottery money", "decision": "scam"}
        with http(api, "rita", "reviewer") as rita, http(api, "otto", "reviewer") as otto:
            # Not the one that she got wrong, nor what she may still meet.
            assert rita.get(guide).json()["data"]["examples"] == [example]
            assert otto.get(guide).json()["data"]["examples"] == []
