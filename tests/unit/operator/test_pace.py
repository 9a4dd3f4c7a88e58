"""Slow answers: proven, lasting, and no reason to reject anybody."""

import math

import pytest

from shield.crds.evidence import ArmEvidence
from shield.crds.v1alpha1 import Analysis, Phase, Strategy
from shield.rollouts.evidence import slow_above_ms
from tests.support.rollouts import version
from tests.support.worlds import World, serving

QUICK = ArmEvidence(exposures=1000, positives=100, timed=500, slow=20)
SLOW = ArmEvidence(
    exposures=1000, positives=100, timed=500, slow=400, processor_median_ms=180, latency_p95_ms=900
)


def on_trial() -> World:
    return serving().ask(version="sms-v2")


def slow_for(world: World, seconds: float) -> World:
    return world.shows(QUICK, SLOW).wait(seconds)


def test_a_slow_candidate_is_paused_at_its_step_with_a_cure_and_never_rejected() -> None:
    world = slow_for(on_trial(), 180)
    assert (world.stable, world.candidate, world.weight) == ("sms-v1", "sms-v2", 10)
    assert (world.status.phase, world.rejected) == (Phase.PAUSED, [])
    condition = next(one for one in world.status.conditions if one.type == "Progressing")
    assert condition.reason == "AnswersSlow"
    for cure in ("by itself", "rollout undo sms", "rollout promote sms", "maxLatencyRatio"):
        assert cure in condition.message
    paused = world.status.history[-1]
    assert (paused.action, paused.version.name) == ("pause", "sms-v2")
    assert "400 of its latest 500" in paused.reason
    assert paused.evidence is not None
    world.wait(100_000)
    assert (world.candidate, world.rejected, world.weight) == ("sms-v2", [], 10)


def test_a_candidate_that_refuses_all_it_is_asked_is_paused_too() -> None:
    refuses = ArmEvidence(timed=500, slow=500)
    world = on_trial().shows(QUICK, refuses).wait(180)
    assert (world.status.phase, world.rejected) == (Phase.PAUSED, [])
    reason = world.status.history[-1].reason
    assert "500 of its latest 500" in reason
    assert "refused for lack of time" in reason
    assert "medians unknown" in reason


def test_while_answers_look_slow_no_step_is_taken_and_a_moment_pauses_nothing() -> None:
    world = slow_for(on_trial(), 170)
    assert (world.weight, world.status.phase) == (10, Phase.PROGRESSING)
    assert world.status.conditions[1].reason == "LooksSlow"
    world.show_good().wait(11)
    assert world.actions[-1] == ("step", "sms-v2")
    assert "pause" not in {action for action, _ in world.actions}
    assert world.weight == 50


def test_it_goes_on_by_itself_once_its_answers_have_been_quick_for_as_long() -> None:
    world = slow_for(on_trial(), 180).show_good()
    assert (world.weight, world.status.phase) == (10, Phase.PAUSED)
    world.wait(179)
    assert world.status.phase is Phase.PAUSED
    world.wait(1)
    assert ("resume", "sms-v2") in world.actions
    assert world.weight == 50
    world.show_good(3000).wait(11)
    assert world.stable == "sms-v2"


def test_answers_that_are_slow_and_quick_in_turn_pause_nothing() -> None:
    world = on_trial()
    for _ in range(20):
        world.shows(QUICK, SLOW).wait(90).shows(QUICK, QUICK)
        world.wait(1)
    assert "pause" not in {action for action, _ in world.actions}


def test_a_person_decides_whatever_the_pace() -> None:
    said = {"promote_by": "ada", "promote_reason": "It may be slow."}
    promoted = slow_for(on_trial(), 180).ask(promote=version("sms-v2").digest, **said)
    assert promoted.stable == "sms-v2"
    undone = slow_for(on_trial(), 180).ask(undo="now")
    assert (undone.stable, undone.rejected) == ("sms-v1", ["sms-v2"])
    aborted = slow_for(on_trial(), 180).ask(version="sms-v1")
    assert (aborted.candidate, aborted.rejected) == (None, [])
    accepted = slow_for(on_trial(), 180).ask(analysis=Analysis(max_slow_share=1.0)).wait(180)
    assert accepted.stable == "sms-v2" or accepted.weight == 50


def test_a_pause_stops_no_judgement_of_failures() -> None:
    failing = SLOW.model_copy(update={"failures": 200})
    assert slow_for(on_trial(), 180).shows(QUICK, failing).rejected == ["sms-v2"]


def test_past_the_deadline_somebody_is_called() -> None:
    world = slow_for(serving(deadline_seconds=600).ask(version="sms-v2"), 601)
    assert world.degraded()[0] == "AnswersSlow"
    assert world.candidate == "sms-v2"


@pytest.mark.parametrize("strategy", [Strategy.AB, Strategy.SHADOW])
def test_the_other_strategies_hear_of_it_too(strategy: Strategy) -> None:
    world = slow_for(serving(strategy=strategy).ask(version="sms-v2"), 180)
    assert world.status.conditions[1].reason == "AnswersSlow"
    assert world.candidate == "sms-v2"


def test_a_promoted_version_that_turns_slow_is_told_of_and_serves_on() -> None:
    world = slow_for(serving(guard_seconds=1000).promote("sms-v2"), 180)
    assert (world.stable, world.rejected) == ("sms-v2", [])
    reason, message = world.degraded()
    assert reason == "AnswersSlow"
    assert "rollout undo sms" in message
    world.show_good().wait(180)
    assert world.status.phase is Phase.HEALTHY
    slow_for(world, 180).wait(1000)
    assert (world.status.phase, world.status.slow) == (Phase.HEALTHY, False)


@pytest.mark.parametrize(
    ("stable", "candidate"),
    [
        (QUICK, ArmEvidence(exposures=1000, timed=49, slow=49)),  # too few
        (ArmEvidence(exposures=1000, timed=10), SLOW),
        (SLOW, SLOW),  # both alike: the machine, or long messages
        (QUICK, ArmEvidence(exposures=1000, timed=500, slow=45)),  # within the share
        (QUICK, ArmEvidence(exposures=1000, latency_p95_ms=5000)),  # users wait, servers do not
        (ArmEvidence(), ArmEvidence()),
    ],
)
def test_what_proves_no_slowness_holds_nothing(stable: ArmEvidence, candidate: ArmEvidence) -> None:
    world = on_trial().shows(stable, candidate).wait(1000)
    assert not world.status.slow
    assert world.status.slow_disputed is None


def test_without_evidence_nothing_changes() -> None:
    world = slow_for(on_trial(), 180)
    world.evidence = None
    assert world.wait(5000).status.slow


def test_the_bound_follows_the_stable_version_above_what_a_person_notices() -> None:
    analysis = Analysis()
    assert slow_above_ms(analysis, []) is None
    assert slow_above_ms(analysis, [math.inf]) is None
    assert slow_above_ms(analysis, [80.0, 90.0, 400.0, math.inf]) == 180
    assert slow_above_ms(analysis, [5.0, 6.0, 400.0]) == 100
    assert slow_above_ms(analysis, [80.0, 90.0, 400.0]) == 180
