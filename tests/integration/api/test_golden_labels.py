"""Golden labels that every model contradicts: asked once, blind, first in line; read when sure."""

import pytest

from shield.client import ShieldClient
from shield.errors import UnknownLabel
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import DecidedBy, DisputedLabel, DisputedLabels, ReviewAction
from tests.integration.api.steps import decide, report
from tests.support.api import RunningApi

LURE = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"
CHAT = "shall we meet at the station at six, or is seven better for you and the children?"
HOUR_SECONDS = 3600.0


def disputed(*messages: DisputedLabel) -> DisputedLabels:
    return DisputedLabels(model_type=ModelType.SMS, version="sms-v7", messages=list(messages))


def ask(api: RunningApi, *messages: DisputedLabel) -> tuple[int, int]:
    with api.client("pipeline", "pipeline") as service:
        told = service.ask_for_golden_labels(disputed(*messages))
    return told.queued, told.asked_before


def found(api: RunningApi) -> dict[str, tuple[str, str]]:
    with api.client("pipeline", "pipeline") as service:
        rows = service.reviewed_golden_labels(ModelType.SMS)
    return {row.id: (row.was, row.label) for row in rows}


def settle(rita: ShieldClient, text: str, label: str) -> None:
    item = next(one for one in rita.pending() if one.scan.text == text)
    right = item.corrected_label == label
    rita.review(item.id, ReviewAction.APPROVE if right else ReviewAction.REJECT)


MISLABELLED = DisputedLabel(id="uci-1", text=LURE, label="ham", probability=0.99)
RIGHT = DisputedLabel(id="uci-2", text=CHAT, label="ham", probability=0.96)


def test_they_come_first_look_like_any_other_and_are_asked_about_once(api: RunningApi) -> None:
    reported = report(api, "ann", "pay the fee for the parcel that waits by the lake")
    assert ask(api, MISLABELLED, RIGHT) == (2, 0)
    assert ask(api, MISLABELLED) == (0, 1), "a repeated run asks nothing"
    with api.client("rita", "reviewer") as rita:
        shown = list(rita.pending())
        assert {one.scan.text for one in shown[:2]} == {LURE, CHAT}
        assert shown[2].id == reported.id
        for one in shown[:2]:
            assert "golden" not in one.model_dump_json()
            assert one.scan.verdict == "spam", "what the models say"
            assert "uci" not in one.model_dump_json()
        times = [time for one in shown[:2] for time in (one.created_at, one.scan.created_at)]
        assert len(set(times)) == 4, "each has times of its own"
        assert all(one.scan.created_at < one.created_at for one in shown[:2])
        with api.client("root", "admin") as root:
            assert "golden.ask" in [line.action for line in root.audit(limit=100)]
        assert "golden.ask" not in [line.action for line in rita.audit(limit=100)]
        assert rita.audit(action="golden.ask").items == [], "its time would tell which they are"
        settle(rita, LURE, "spam")
        settle(rita, CHAT, "ham")
        assert found(api) == {}, "it could still be taken back"
        api.clock.move_on(HOUR_SECONDS + 1)
        assert found(api) == {"uci-1": ("ham", "spam"), "uci-2": ("ham", "ham")}
    assert ask(api, MISLABELLED, RIGHT) == (0, 2)


def test_they_teach_nothing_rate_nobody_and_answer_no_other_message(api: RunningApi) -> None:
    ask(api, MISLABELLED)
    with api.client("rita", "reviewer") as rita:
        settle(rita, LURE, "spam")
    api.clock.move_on(HOUR_SECONDS + 1)
    with api.client("pipeline", "pipeline") as service:
        assert service.lease_batch(ModelType.SMS, "run-1", minimum=0).count == 0
        stats = service.stats()
    assert stats.by_status["approved"] + stats.by_status["rejected"] == 0
    with api.client("ann") as ann:
        copy = ann.scan(ScanType.TEXT, LURE)
    assert copy.decided_by is DecidedBy.MODEL, "no user has reported it: it is no known campaign"


def test_two_must_agree_and_what_is_taken_back_does_not_count(
    api: RunningApi,
) -> None:
    # Otto reviews, too, so that there is somebody for a second look.
    decide(api, report(api, "ann", "call me when you are home").id, ReviewAction.REJECT, "otto")
    ask(api, MISLABELLED)
    with api.client("rita", "reviewer") as rita, api.client("otto", "reviewer") as otto:
        settle(rita, LURE, "spam")
        api.clock.move_on(HOUR_SECONDS + 1)
        assert found(api) == {}, "one look is not enough for what judges every version"
        (item,) = [one for one in otto.pending() if one.scan.text == LURE]
        settle(otto, LURE, "spam")
        api.clock.move_on(HOUR_SECONDS - 1)
        assert found(api) == {}
        otto.undo_review(item.id)
        api.clock.move_on(HOUR_SECONDS)
        assert found(api) == {}, "it was taken back in time"


def test_a_decision_on_a_report_of_the_same_text_settles_no_golden_label(api: RunningApi) -> None:
    """One reviewer alone could change the golden set by a decision on the whole campaign."""
    decide(api, report(api, "bob", "call me when you are home").id, ReviewAction.REJECT, "otto")
    ask(api, MISLABELLED)
    reported, also = report(api, "ann", LURE), report(api, "cat", LURE)
    with api.client("rita", "reviewer") as rita:
        shown = [one.id for one in rita.pending() if one.scan.text == LURE]
        golden = (set(shown) - {reported.id, also.id}).pop()
        rita.review(reported.id, ReviewAction.APPROVE, scope="campaign", shown=shown)
        assert [one.id for one in rita.pending()] == [golden], "it is decided for itself"
    api.clock.move_on(HOUR_SECONDS + 1)
    assert found(api) == {}, "nobody has looked at it"


def test_a_label_of_another_model_type_is_refused(api: RunningApi) -> None:
    wrong = MISLABELLED.model_copy(update={"label": "phishing"})
    with (
        api.client("pipeline", "pipeline") as service,
        pytest.raises(UnknownLabel, match="phishing"),
    ):
        service.ask_for_golden_labels(disputed(wrong))


def test_a_report_of_the_same_message_is_decided_for_itself(api: RunningApi) -> None:
    """The known campaign comes from what users report, and not from the golden set."""
    ask(api, MISLABELLED)
    reported = report(api, "ann", LURE, FeedbackType.FALSE_NEGATIVE)
    with api.client("rita", "reviewer") as rita:
        items = {one.id: one for one in rita.pending()}
        assert reported.id in items
        settled = rita.review(reported.id, ReviewAction.APPROVE)
        assert settled.status == "approved"
    with api.client("pipeline", "pipeline") as service:
        assert service.lease_batch(ModelType.SMS, "run-1", minimum=0).count == 1
