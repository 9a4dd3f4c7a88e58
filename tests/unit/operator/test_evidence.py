"""What promotes, what rejects, and what is only a reason to wait."""

from typing import Any

import pytest

from serving.operator.judgement import errs_more, missing, not_worse, users_object
from shield.crds.evidence import ArmEvidence, Evidence, PairedEvidence
from shield.crds.v1alpha1 import Analysis, Phase, Strategy
from tests.support.rollouts import version
from tests.support.worlds import ERRS_MORE, NOT_WORSE, UNDECIDED, World, serving

ARM = ArmEvidence(exposures=5000, positives=500, users=2000, reporters=20)
OBJECTED_TO = ARM.model_copy(update={"reporters": 300})


def through_all_steps(**fields: Any) -> World:
    """A candidate that met enough users at every step, and of which nothing was decided."""
    world = serving(deadline_seconds=600, **fields).ask(version="sms-v2")
    for exposures in (100, 200):
        arm = ArmEvidence(exposures=exposures, positives=exposures // 10)
        world.shows(arm, arm).wait(11)
    assert (world.candidate, world.weight) == ("sms-v2", 50)
    return world


def condition(world: World) -> tuple[str, str]:
    return next((c.reason, c.message) for c in world.status.conditions if c.type == "Progressing")


def test_passing_every_step_promotes_nobody() -> None:
    world = through_all_steps()
    assert condition(world)[0] == "AwaitingEvidence"
    world.wait(500)
    assert (world.stable, world.candidate) == ("sms-v1", "sms-v2")


def test_decisions_that_show_that_it_is_not_worse_promote_and_the_ledger_tells_them() -> None:
    world = through_all_steps().shows(ARM, ARM, NOT_WORSE)
    assert (world.stable, world.candidate) == ("sms-v2", None)
    reason = world.status.history[-1].reason
    assert "right in 75" in reason
    assert "130 of 4000" in reason
    assert world.status.history[-1].evidence is not None
    assert world.status.history[-1].evidence.paired == NOT_WORSE


def test_decisions_that_show_that_it_errs_more_reject_at_any_step() -> None:
    world = serving().ask(version="sms-v2").shows(ARM, ARM, ERRS_MORE)
    assert world.rejected == ["sms-v2"]
    assert "ErrsMore. Of 100 messages" in world.status.history[-1].reason


def test_after_a_promotion_they_bring_the_last_good_version_back() -> None:
    world = through_all_steps().shows(ARM, ARM, NOT_WORSE)
    assert world.shows(ARM, ARM, ERRS_MORE).stable == "sms-v1"
    assert "Automatic return" in world.status.history[-1].reason


def test_past_the_deadline_it_is_degraded_and_says_what_is_missing() -> None:
    few = PairedEvidence(messages=600, disagreements=20, drawn=9, weight=300, better=6, worse=3)
    world = through_all_steps().shows(ARM, ARM, few).wait(700)
    assert world.status.phase is Phase.DEGRADED
    reason, message = world.degraded()
    assert reason == "NoEvidence"
    assert "more decisions by reviewers are needed" in message
    assert "shieldctl rollout promote sms --reason" in message
    assert world.shows(ARM, ARM, NOT_WORSE).stable == "sms-v2", "what comes late still counts"


def test_where_no_text_may_be_read_it_says_so_and_asks_for_a_person() -> None:
    world = through_all_steps().shows(ARM, ARM, UNDECIDED)
    assert "None of the messages may be read" in condition(world)[1]
    world.wait(700)
    assert "None of the messages may be read" in world.degraded()[1]


def test_a_bare_promotion_without_evidence_waits_for_a_name_and_a_reason() -> None:
    world = through_all_steps().ask(promote=version("sms-v2").digest)
    assert (world.candidate, world.status.phase) == ("sms-v2", Phase.PAUSED)
    assert condition(world)[0] == "ReasonMissing"
    world.ask(promote_by="ada", promote_reason=" ")
    assert world.candidate == "sms-v2"
    world.ask(promote_reason="A new tactic is going round.")
    assert world.stable == "sms-v2"
    assert "ada promoted it: A new tactic is going round." in world.status.history[-1].reason
    assert "did not show" in world.status.history[-1].reason


def test_with_evidence_a_shadow_is_promoted_by_anybodys_word() -> None:
    world = serving(strategy=Strategy.SHADOW).ask(version="sms-v2")
    for exposures in (100, 200):
        arm = ArmEvidence(exposures=exposures, positives=exposures // 10)
        world.shows(arm, arm, NOT_WORSE).wait(11)
    assert "shown to be good enough" in condition(world)[1]
    assert world.ask(promote=version("sms-v2").digest).stable == "sms-v2"


def test_objections_hold_the_step_and_reject_nobody() -> None:
    world = serving().ask(version="sms-v2").shows(ARM, OBJECTED_TO).wait(100)
    assert (world.candidate, world.weight, world.rejected) == ("sms-v2", 10, [])
    assert (world.status.phase, condition(world)[0]) == (Phase.PAUSED, "UsersObject")
    world.shows(ARM, OBJECTED_TO, NOT_WORSE)
    assert world.weight == 50, "what reviewers decided weighs more"


def test_one_user_who_reports_everything_has_one_vote() -> None:
    """17 scans by the version on trial, all reported."""
    one = ArmEvidence(exposures=100, positives=10, reports=17, users=40, reporters=1)
    other = ArmEvidence(exposures=900, positives=90, reports=2, users=300, reporters=2)
    evidence = Evidence(stable=other, candidate=one)
    assert not users_object(Analysis(), evidence)
    world = serving().ask(version="sms-v2").shows(other, one).wait(11)
    assert (world.weight, world.rejected) == (50, [])


def test_an_error_budget_of_one_asks_for_no_proof() -> None:
    world = serving(analysis=Analysis(error_budget=1.0)).ask(version="sms-v2")
    for exposures in (100, 200):
        arm = ArmEvidence(exposures=exposures, positives=exposures // 10)
        world.shows(arm, arm).wait(11)
    assert world.stable == "sms-v2"


@pytest.mark.parametrize("decided", range(0, 60, 7))
def test_what_is_missing_hardly_ever_changes_its_words(decided: int) -> None:
    """A status is written when it changes: a sentence that counts down would be written often."""
    seen = PairedEvidence(messages=999, weight=400, better=decided, worse=decided // 3)
    said = missing(Analysis(), Evidence(paired=seen))
    digits = [word for word in said.split() if word.isdigit()]
    assert all(word.rstrip("0") in "123456789" for word in digits)


def test_versions_that_hardly_disagree_need_no_reviewer() -> None:
    agree = PairedEvidence(messages=5000, disagreements=0, weight=3000)
    assert not_worse(Analysis(), Evidence(paired=agree))
    assert errs_more(Analysis(), Evidence(paired=agree)) is None
