"""The operator's decision, trap by trap."""

import pytest

from serving.operator.state import ServerSeen
from shield.crds.evidence import ArmEvidence
from shield.crds.v1alpha1 import Phase, Step, Strategy
from tests.support.rollouts import spec, version
from tests.support.worlds import QUICK, World, serving

GOOD = ArmEvidence(exposures=1000, positives=100, latency_p95_ms=5)
FAILING = ArmEvidence(exposures=50, positives=5, failures=20, latency_p95_ms=5)


def test_the_first_version_is_installed_directly_once_it_is_ready() -> None:
    world = World(spec("sms-v1"))
    first = world.look()
    assert [ref.name for ref in first.servers] == ["sms-v1"]
    assert (first.status.stable, first.status.split) == (None, None)
    world.settle()
    assert world.actions == [("install", "sms-v1")]
    assert world.status.split is not None
    assert world.status.split.stable_url == "http://sms-v1"
    assert world.status.phase is Phase.HEALTHY


def test_a_first_version_whose_package_is_refused_is_degraded_and_says_why() -> None:
    world = World(spec("sms-v1")).breaks("sms-v1", refusal="The package is not signed.").settle()
    assert world.status.phase is Phase.DEGRADED
    assert world.degraded()[0] == "PackageRefused"
    assert "not signed" in world.degraded()[1]
    assert world.ask(version="sms-v2").stable == "sms-v2"


def test_no_user_meets_a_candidate_before_its_servers_are_ready() -> None:
    world = serving().breaks("sms-v2").ask(version="sms-v2")
    assert (world.candidate, world.weight) == ("sms-v2", 0)
    world.broken.clear()
    world.settle()
    assert world.weight == 10


def test_a_candidate_that_shows_nothing_bad_is_promoted_step_by_step() -> None:
    world = serving().ask(version="sms-v2")
    assert (world.weight, world.status.phase) == (10, Phase.PROGRESSING)
    world.show_good(100).wait(11)
    assert world.weight == 50
    world.show_good(200).wait(11)
    assert (world.stable, world.candidate, world.weight) == ("sms-v2", None, 0)
    assert [action for action, _ in world.actions] == [
        "install",
        "start",
        "step",
        "step",
        "promote",
    ]
    assert world.status.history[-1].evidence is not None


def test_no_traffic_is_no_evidence_it_neither_promotes_nor_rejects() -> None:
    world = serving().ask(version="sms-v2").shows(ArmEvidence(), ArmEvidence()).wait(3600)
    assert (world.stable, world.candidate, world.weight) == ("sms-v1", "sms-v2", 10)
    assert world.rejected == []


def test_past_the_deadline_without_evidence_it_is_degraded_with_advice() -> None:
    world = serving(deadline_seconds=600).ask(version="sms-v2").wait(601)
    assert (world.stable, world.candidate, world.status.phase) == (
        "sms-v1",
        "sms-v2",
        Phase.DEGRADED,
    )
    reason, message = world.degraded()
    assert reason == "NoEvidence"
    assert "shieldctl rollout promote sms" in message
    world.show_good()
    assert world.weight == 50, "evidence that comes late still counts"


def test_evidence_of_an_earlier_trial_is_ignored() -> None:
    world = serving().ask(version="sms-v2")
    world.shows(GOOD, FAILING)
    assert world.rejected == ["sms-v2"]
    world.wait(1).ask(version="sms-v3")
    assert (world.candidate, world.rejected) == ("sms-v3", ["sms-v2"])


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (FAILING, "RequestsFailed"),
        (ArmEvidence(exposures=500, positives=450, latency_p95_ms=5), "VerdictsShifted"),
    ],
)
def test_a_candidate_that_shows_a_fault_is_rejected_once_and_never_retried(
    bad: ArmEvidence, reason: str
) -> None:
    world = serving().ask(version="sms-v2").shows(GOOD, bad)
    assert (world.stable, world.candidate, world.weight) == ("sms-v1", None, 0)
    assert (world.rejected, world.status.phase) == (["sms-v2"], Phase.DEGRADED)
    assert reason in world.status.history[-1].reason
    assert world.status.history[-1].evidence is not None
    later = world.status
    world.evidence = None
    world.wait(99_999)
    assert (world.rejected, world.candidate) == (["sms-v2"], None)
    assert world.status.history == later.history


def test_a_candidate_whose_package_is_refused_is_rejected_at_once() -> None:
    world = serving().breaks("sms-v2", refusal="It is not signed.").ask(version="sms-v2")
    assert (world.stable, world.rejected) == ("sms-v1", ["sms-v2"])
    assert "not signed" in world.degraded()[1]


def test_a_candidate_that_keeps_crashing_is_rejected_and_one_crash_rejects_nobody() -> None:
    world = serving().breaks("sms-v2", crashes=1).ask(version="sms-v2")
    assert world.candidate == "sms-v2"
    world.breaks("sms-v2", crashes=3).settle()
    assert world.rejected == ["sms-v2"]


def test_a_candidate_that_is_not_ready_in_time_calls_somebody_and_is_waited_for() -> None:
    world = serving(ready_timeout_seconds=60).breaks("sms-v2").ask(version="sms-v2").wait(59)
    assert world.candidate == "sms-v2"
    assert world.status.phase is Phase.PROGRESSING
    world.wait(2)
    assert (world.candidate, world.weight, world.rejected) == ("sms-v2", 0, [])
    reason, message = world.degraded()
    assert reason == "NotReady"
    assert "rollout undo sms" in message
    world.broken.clear()
    world.settle()
    assert (world.weight, world.status.phase) == (10, Phase.PROGRESSING)


def test_a_candidate_that_stops_being_ready_meets_no_user_meanwhile() -> None:
    world = serving().ask(version="sms-v2")
    world.breaks("sms-v2", crashes=1).settle()
    assert world.status.split is not None
    assert (world.candidate, world.status.split.candidate) == ("sms-v2", None)
    world.broken.clear()
    assert world.settle().weight == 10


def test_setting_the_version_back_aborts_without_a_judgement() -> None:
    world = serving().ask(version="sms-v2").ask(version="sms-v1")
    assert (world.stable, world.candidate, world.rejected) == ("sms-v1", None, [])
    assert world.actions[-1] == ("abort", "sms-v2")
    assert world.ask(version="sms-v2").candidate == "sms-v2", "it may be asked for again"


def test_a_trial_is_ended_without_a_judgement_and_goes_on_once_it_is_asked_for_again() -> None:
    world = serving().ask(version="sms-v2")
    digest = version("sms-v2").digest
    world.ask(abort=digest, abort_by="ada", abort_reason="the wrong week").wait(1000)
    assert (world.stable, world.candidate, world.rejected) == ("sms-v1", None, [])
    assert world.actions[-1] == ("abort", "sms-v2")
    assert world.status.history[-1].reason == (
        "ada ended its trial without a judgement: the wrong week."
    )
    assert world.status.phase is Phase.HEALTHY
    assert "rollout start sms sms-v2" in world.status.conditions[1].message
    assert world.ask(abort=None).candidate == "sms-v2"


def test_the_end_of_a_trial_that_comes_after_the_promotion_takes_nothing_back() -> None:
    world = serving().promote("sms-v2").ask(abort=version("sms-v2").digest)
    assert (world.stable, world.rejected) == ("sms-v2", [])


def test_a_rejected_version_is_reinstated_once_by_name_and_with_a_reason() -> None:
    world = serving().ask(version="sms-v2").ask(undo="one").ask(version="sms-v1")
    digest = version("sms-v2").digest
    assert world.ask(reinstate=digest).rejected == ["sms-v2"], "nobody stands for it"
    world.ask(reinstate_by="ada", reinstate_reason="the reports were forged")
    assert world.rejected == []
    assert world.actions[-1] == ("reinstate", "sms-v2")
    assert world.ask(version="sms-v2").candidate == "sms-v2"
    assert world.ask(undo="two").settle().rejected == ["sms-v2"], "the word was given once"


def test_another_version_replaces_the_candidate() -> None:
    world = serving().ask(version="sms-v2").ask(version="sms-v3")
    assert (world.candidate, world.rejected) == ("sms-v3", [])
    assert world.wanted == ["sms-v1", "sms-v3"]


def test_a_pause_holds_the_step_and_stops_neither_judgement_nor_undo() -> None:
    world = serving().ask(version="sms-v2").ask(paused=True).show_good().wait(1000)
    assert (world.weight, world.status.phase) == (10, Phase.PAUSED)
    judged = world.shows(GOOD, FAILING)
    assert judged.rejected == ["sms-v2"]
    again = serving(paused=True).ask(version="sms-v2")
    assert (again.candidate, again.weight) == ("sms-v2", 0)
    again.ask(undo="one")
    assert again.rejected == ["sms-v2"]


def test_a_lifted_pause_goes_on_where_it_was() -> None:
    world = serving().ask(version="sms-v2").ask(paused=True).show_good().wait(1000)
    assert world.ask(paused=False).weight == 50


def test_in_the_guard_window_the_last_known_good_version_stays_warm_and_then_retires() -> None:
    world = serving().promote("sms-v2")
    assert world.wanted == ["sms-v2", "sms-v1"]
    assert world.status.split is not None
    assert world.status.split.fallback_url == "http://sms-v1"
    world.wait(101)
    assert world.wanted == ["sms-v2"]
    assert world.status.split is not None
    assert world.status.split.fallback is None
    assert world.status.rollout_started is None


def test_undo_is_one_decision_that_changes_the_split_when_the_last_good_is_warm() -> None:
    world = serving().promote("sms-v2")
    world.spec = world.spec.model_copy(update={"undo": "a", "undo_reason": "It flags my bank."})
    once = world.look()
    assert once.status.split is not None
    assert once.status.split.stable_url == "http://sms-v1"
    assert once.status.history[-1].reason == "It flags my bank."
    assert once.status.history[-1].action == "undo"


def test_undoing_twice_never_returns_to_the_version_that_was_taken_back() -> None:
    world = serving().promote("sms-v2").promote("sms-v3")
    world.ask(undo="first")
    assert (world.stable, world.rejected) == ("sms-v2", ["sms-v3"])
    world.ask(undo="second")
    assert (world.stable, world.rejected) == ("sms-v1", ["sms-v3", "sms-v2"])
    world.ask(undo="third")
    assert (world.stable, world.rejected) == ("sms-v1", ["sms-v3", "sms-v2"])
    reason, message = world.degraded()
    assert reason == "NothingToUndo"
    assert "sms-v1" in message


def test_an_undo_with_nothing_to_go_back_to_does_not_take_back_a_later_version() -> None:
    world = serving().ask(undo="too-early")
    assert world.degraded()[0] == "NothingToUndo"
    world.promote("sms-v2")
    assert (world.stable, world.rejected) == ("sms-v2", [])
    assert world.status.phase is Phase.HEALTHY


def test_the_same_undo_token_is_answered_once() -> None:
    world = serving().promote("sms-v2").promote("sms-v3").ask(undo="same").wait(1000)
    assert world.ask(undo="same").stable == "sms-v2"


def test_an_undo_during_a_trial_takes_back_the_candidate() -> None:
    world = serving().promote("sms-v2").ask(version="sms-v3").ask(undo="a")
    assert (world.stable, world.candidate) == ("sms-v2", None)
    assert world.rejected == ["sms-v3"]


def test_a_rejected_version_is_never_started_again_whatever_the_spec_says() -> None:
    world = serving().promote("sms-v2").ask(undo="a")
    world.ask(version="sms-v1").ask(version="sms-v2").wait(1000)
    assert (world.stable, world.candidate) == ("sms-v1", None)
    assert world.degraded()[0] == "VersionRejected"
    assert "sms-v2" not in world.wanted


def test_an_undo_to_a_cold_version_waits_until_it_is_ready_and_the_other_goes_on_answering() -> (
    None
):
    world = serving().promote("sms-v2").wait(101)
    world.breaks("sms-v1").ask(undo="a")
    assert (world.stable, world.wanted) == ("sms-v2", ["sms-v2", "sms-v1"])
    assert world.status.phase is Phase.PROGRESSING
    world.broken.clear()
    world.settle()
    assert (world.stable, world.rejected) == ("sms-v1", ["sms-v2"])


def test_an_undo_goes_past_an_earlier_version_that_can_no_longer_be_served() -> None:
    world = serving().promote("sms-v2").promote("sms-v3").wait(101)
    world.breaks("sms-v2", refusal="The package is corrupt.").ask(undo="a")
    assert world.stable == "sms-v1"
    assert set(world.rejected) == {"sms-v2", "sms-v3"}


def test_after_an_undo_the_next_undo_is_warm_too() -> None:
    world = serving().promote("sms-v2").promote("sms-v3").ask(undo="a")
    assert world.wanted == ["sms-v2", "sms-v1"]


def test_setting_the_version_back_to_an_earlier_good_one_takes_back_what_came_after() -> None:
    world = serving().promote("sms-v2").promote("sms-v3").ask(version="sms-v1")
    assert (world.stable, set(world.rejected)) == ("sms-v1", {"sms-v2", "sms-v3"})
    assert world.actions[-1] == ("undo", "sms-v3")
    assert world.status.phase is Phase.HEALTHY


def test_within_the_guard_window_bad_evidence_brings_the_last_good_version_back() -> None:
    world = serving().promote("sms-v2").shows(GOOD, FAILING)
    assert (world.stable, world.rejected) == ("sms-v1", ["sms-v2"])
    assert "Automatic return" in world.status.history[-1].reason


def test_within_the_guard_window_crashes_bring_the_last_good_version_back() -> None:
    world = serving().promote("sms-v2")
    world.breaks("sms-v2", crashes=1).settle()
    assert world.stable == "sms-v2", "hysteresis: one crash is not enough"
    world.breaks("sms-v2", crashes=3).settle()
    assert (world.stable, world.rejected) == ("sms-v1", ["sms-v2"])


def test_after_the_guard_window_nothing_returns_by_itself() -> None:
    world = serving().promote("sms-v2")
    shown = world.shows(GOOD, GOOD).evidence
    world.wait(101)
    assert shown is not None
    world.evidence = shown.model_copy(update={"candidate": FAILING})
    world.breaks("sms-v2", crashes=9).settle()
    assert (world.stable, world.rejected) == ("sms-v2", [])
    assert world.status.phase is Phase.DEGRADED


def test_an_automatic_return_causes_no_further_return() -> None:
    world = serving().promote("sms-v2").promote("sms-v3").shows(GOOD, FAILING)
    assert world.stable == "sms-v2"
    world.breaks("sms-v2", crashes=9).settle()
    assert world.stable == "sms-v2"


def test_ab_and_shadow_wait_for_a_person() -> None:
    for strategy in (Strategy.AB, Strategy.SHADOW):
        world = serving(strategy=strategy).ask(version="sms-v2")
        for exposures in (100, 200, 300):
            world.show_good(exposures).wait(11)
        assert (world.candidate, world.status.phase) == ("sms-v2", Phase.PAUSED)
        assert world.weight == (50 if strategy is Strategy.AB else 0)
        assert world.ask(promote=version("sms-v2").digest).stable == "sms-v2"


def test_a_shadow_scores_and_never_answers() -> None:
    world = serving(strategy=Strategy.SHADOW).ask(version="sms-v2").show_good()
    split = world.status.split
    assert split is not None
    assert (split.candidate_url, split.shadow, split.weight) == ("http://sms-v2", True, 0)


def test_a_promotion_by_hand_names_its_version_and_says_nothing_about_the_next() -> None:
    said = {"promote_by": "ada", "promote_reason": "The bank waits for it."}
    world = serving().ask(version="sms-v2", promote=version("sms-v2").digest, **said)
    assert world.stable == "sms-v2"
    assert "ada promoted it: The bank waits for it." in world.status.history[-1].reason
    assert world.ask(version="sms-v3").candidate == "sms-v3"


def test_without_a_guard_window_nothing_is_kept_warm() -> None:
    world = serving(guard_seconds=0).promote("sms-v2")
    assert (world.wanted, world.status.guarded) == (["sms-v2"], None)


def test_steps_taken_away_during_a_trial_do_not_strand_it() -> None:
    world = serving().ask(version="sms-v2").show_good(100).wait(11)
    assert world.status.step == 1
    world.ask(steps=[Step(weight=20, duration_seconds=5)])
    assert world.stable == "sms-v2"


def test_no_steps_at_all_promote_as_soon_as_it_is_shown_to_be_good() -> None:
    world = serving(steps=[]).ask(version="sms-v2")
    assert world.stable == "sms-v1"
    assert world.show_good().stable == "sms-v2"


def test_deciding_again_on_the_result_decides_nothing_new() -> None:
    world = serving().promote("sms-v2").ask(version="sms-v3")
    again = world.look()
    assert again.status == world.status
    assert again == world.look()


def test_each_trial_mixes_the_users_anew() -> None:
    world = serving().ask(version="sms-v2")
    first = world.status.split
    world.ask(undo="a").wait(1).ask(version="sms-v3")
    assert first is not None
    assert world.status.split is not None
    assert first.salt != world.status.split.salt


def test_while_the_stable_server_restarts_the_split_keeps_its_address() -> None:
    world = serving()
    world.servers[version("sms-v1").digest] = ServerSeen()
    split = world.look().status.split
    assert split is not None
    assert split.stable_url == "http://sms-v1"


def test_every_history_entry_has_the_next_number() -> None:
    world = serving(steps=QUICK).promote("sms-v2").ask(undo="a").ask(version="sms-v3")
    numbers = [done.sequence for done in world.status.history]
    assert numbers == list(range(1, len(numbers) + 1))
