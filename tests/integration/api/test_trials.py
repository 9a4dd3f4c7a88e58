"""A trial: both versions score a message, reviewers decide blind, and both are counted."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from shield.client import ShieldClient
from shield.crds.evidence import PairedEvidence
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import PendingItem, ReviewAction
from tests.integration.api.conftest import wait_for_split
from tests.integration.api.steps import http
from tests.integration.api.test_routing import trial
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.waiting import wait_until


def message(number: int) -> str:
    """Return a message that is like no other; the stable version finds it harmless."""
    rng = random.Random(number)
    return " ".join("".join(rng.choices("abcdefghjkmopqrstuvxyz", k=6)) for _ in range(7))


class Stage(NamedTuple):
    api: RunningApi
    rita: ShieldClient

    def paired(self) -> PairedEvidence:
        return self.rita.evidence(ModelType.SMS).paired

    def scan(self, user: str, text: str, *, consent: bool = True) -> str:
        """Let a user scan, and return the version that answered."""
        with self.api.client(user) as client:
            client.set_consent(consent)
            return client.scan(ScanType.TEXT, text).model_version

    def wait_for(self, messages: int) -> PairedEvidence:
        wait_until(lambda: self.paired().messages >= messages)
        return self.paired()


def decide(rita: ShieldClient, item: PendingItem, *, scam: bool) -> None:
    right = (item.corrected_label == "spam") == scam
    rita.review(item.id, ReviewAction.APPROVE if right else ReviewAction.REJECT)


@contextmanager
def stage(
    folder: Path, url: str | None = None, *, weight: float = 50, per_day: int = 10_000, few: int = 1
) -> Iterator[Stage]:
    """The candidate calls everything a scam, the stable version only what says `win`."""
    with (
        model_server() as one,
        model_server(judge=lambda text: 0.9) as other,
        running_api(folder, url) as api,
        api.client("rita", "reviewer", "admin") as rita,
    ):
        store = api.services.rollouts
        deploy(store, one, candidate="sms-v2", candidate_url=other, weight=weight)
        trial(api, api.clock(), decisions_per_day=per_day, messages_per_user=few)
        wait_for_split(api)
        wait_until(lambda: api.services.router.trial(ModelType.SMS))
        yield Stage(api, rita)


def test_both_versions_score_each_message_and_reviewers_find_out_who_was_right(
    tmp_path: Path, database_url: str
) -> None:
    with stage(tmp_path, database_url) as here:
        answered = {here.scan(f"user-{number}", message(number)) for number in range(8)}
        assert answered == {"sms-v1", "sms-v2"}, "both arms answer"
        here.scan("user-8", "you win")  # both call this a scam
        here.scan("user-9", message(9), consent=False)  # never agreed that others read along
        seen = here.wait_for(9)
        assert (seen.messages, seen.disagreements, seen.drawn, seen.waiting) == (9, 8, 8, 8)
        assert (seen.better, seen.worse) == (0, 0), "nothing counts before the first is decided"
        for number, item in enumerate(
            sorted(here.rita.pending().items, key=lambda i: i.created_at)
        ):
            decide(here.rita, item, scam=number < 2)
        seen = here.paired()
    assert (seen.better, seen.worse, seen.waiting, seen.undecided) == (2, 6, 0, 0)
    assert seen.weight > 0


def test_nothing_that_a_reviewer_sees_tells_which_version_answered(tmp_path: Path) -> None:
    with stage(tmp_path) as here, http(here.api, "rita", "reviewer") as reviewer:
        for number in range(6):
            here.scan(f"user-{number}", message(number))
        with here.api.client("ann") as ann:
            scan = ann.scan(ScanType.TEXT, message(7))
            ann.send_feedback(scan.id, FeedbackType.CONFIRMED)
        here.wait_for(6)
        queue = reviewer.get("/api/v2/feedback/pending?limit=50").json()["data"]
        assert len(queue) >= 7
        for item in queue:
            one = reviewer.get(f"/api/v2/feedback/{item['id']}").text
            for said in (str(item), one):
                assert "sms-v" not in said
                assert "candidate" not in said
                assert "probability" not in said
                assert "confidence" not in said
                assert "shadow" not in said


def test_disagreements_come_first_in_line(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        with here.api.client("ann") as ann:
            scan = ann.scan(ScanType.TEXT, "maybe " + message(1))
            report = ann.send_feedback(scan.id, FeedbackType.CONFIRMED)
        here.scan("user-2", message(2))
        here.wait_for(1)
        first, *_ = here.rita.pending().items
    assert first.id != report.id


def test_of_a_user_one_message_a_day_counts_and_of_equal_messages_one(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        for number in range(4):
            here.scan("ann", message(number))
        here.wait_for(1)
        here.scan("bob", message(0))  # ann has had it
        here.scan("cleo", message(5))
        seen = here.wait_for(2)
        assert seen.disagreements == 2
        here.api.clock.move_on(86401)
        here.scan("ann", message(6))
        assert here.wait_for(3).messages == 3


def test_one_user_is_drawn_five_times_and_no_more(tmp_path: Path) -> None:
    with stage(tmp_path, few=100) as here:
        for number in range(9):
            here.scan("ann", message(number))
        here.scan("bob", message(10))
        seen = here.wait_for(6)
    assert (seen.messages, seen.drawn) == (6, 6)


def test_no_more_is_drawn_than_reviewers_decide_in_a_day(tmp_path: Path) -> None:
    with stage(tmp_path, per_day=3) as here:
        for number in range(20):
            here.scan(f"user-{number}", message(number))
        here.wait_for(20)
        assert here.paired().drawn <= 3


def test_what_waits_for_two_days_is_waited_for_no_longer_and_speaks_for_neither(
    tmp_path: Path,
) -> None:
    with stage(tmp_path) as here:
        for number in range(3):
            here.scan(f"user-{number}", message(number))
            here.wait_for(number + 1)
            here.api.clock.move_on(1)
        late, *others = sorted(here.rita.pending().items, key=lambda item: item.created_at)
        for item in others:
            decide(here.rita, item, scam=True)
        seen = here.paired()
        assert (seen.better, seen.undecided, seen.waiting) == (0, 0, 1)
        here.api.clock.move_on(timedelta(hours=49).total_seconds())
        seen = here.paired()
        assert (seen.better, seen.worse, seen.undecided) == (2, 0, 1)
        decide(here.rita, late, scam=True)
        assert here.paired().better == 3


def test_an_erased_user_takes_the_message_along_and_the_count_stays_honest(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        here.scan("ann", message(1))
        here.wait_for(1)
        with here.api.client("ann") as ann:
            ann.erase_me()
        assert here.rita.pending().items == []
        seen = here.paired()
    assert (seen.waiting, seen.undecided) == (0, 1)


@pytest.mark.parametrize("times", [1, 3])
def test_each_user_has_one_vote(tmp_path: Path, times: int) -> None:
    with stage(tmp_path, weight=100) as here:
        with here.api.client("ann") as ann, here.api.client("bob") as bob:
            bob.scan(ScanType.TEXT, "you win")
            for number in range(times):
                scan = ann.scan(ScanType.TEXT, message(number))
                ann.send_feedback(scan.id, FeedbackType.FALSE_POSITIVE)
        arm = here.rita.evidence(ModelType.SMS).candidate
    assert (arm.reports, arm.users, arm.reporters) == (times, 2, 1)


def test_a_promotion_by_hand_keeps_who_asked_and_why(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        found = here.rita.promote_rollout(ModelType.SMS, "The bank waits for it.")
    assert (found.spec.promote_by, found.spec.promote_reason) == ("rita", "The bank waits for it.")
