import ast
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import shield.gates
from shield.gates import (
    PROMOTE,
    BestEver,
    Comparison,
    GateInput,
    GateLimits,
    GroupShare,
    PhraseProbe,
    Slice,
    chain,
    decide,
    first_refusal,
)
from shield.labels import ModelType


def comparison(
    scams: int = 0,
    hams: int = 0,
    *,
    champion_caught: int = 0,
    scams_lost: int = 0,
    scams_won: int = 0,
    champion_flagged: int = 0,
    hams_lost: int = 0,
    hams_won: int = 0,
) -> Comparison:
    caught = champion_caught - scams_lost + scams_won
    flagged = champion_flagged - hams_won + hams_lost
    return Comparison(
        tp=caught,
        fn=scams - caught,
        fp=flagged,
        tn=hams - flagged,
        scams_lost=scams_lost,
        scams_won=scams_won,
        hams_lost=hams_lost,
        hams_won=hams_won,
    )


def evaluation(**changes: object) -> GateInput:
    """A challenger that deserves its promotion: 20 corrections learnt, nothing lost."""
    facts: dict[str, object] = {
        "model_type": ModelType.SMS,
        "champion": "sha256:old",
        "challenger": "sha256:new",
        "fresh_feedback": 120,
        "golden_digest": "sha256:golden",
        "golden": comparison(300, 2000, champion_caught=285, champion_flagged=12),
        "corrections": comparison(40, 10, champion_caught=2, scams_won=30),
        "int8_compared": 2300,
        "int8_flips": 2,
        "threshold": 0.5,
        "champion_threshold": 0.55,
        **changes,
    }
    return GateInput.model_validate(facts)


def outcome(**changes: object) -> str:
    return decide(evaluation(**changes)).outcome


def test_a_challenger_that_learnt_and_lost_nothing_is_promoted():
    decision = decide(evaluation())
    assert decision.outcome == PROMOTE
    assert decision.refusal is None
    assert all(finding.passed for finding in decision.findings)
    assert len({finding.gate for finding in decision.findings}) == len(decision.findings) == 13


def test_too_little_feedback_is_refused_with_both_numbers():
    refusal = first_refusal(chain(), evaluation(fresh_feedback=49))
    assert refusal is not None
    assert refusal.reason == "enough-feedback"
    assert "49" in refusal.message
    assert "50" in refusal.message
    assert outcome(fresh_feedback=50) == PROMOTE


@pytest.mark.parametrize(("lost", "expected"), [(11, PROMOTE), (12, "golden-accuracy")])
def test_golden_accuracy_may_fall_by_half_a_point_and_no_more(lost: int, expected: str):
    golden = comparison(300, 2000, champion_caught=285, champion_flagged=12, scams_lost=lost)
    assert outcome(golden=golden) == expected


def test_a_golden_set_too_small_to_rule_out_a_whole_point_does_not_promote():
    golden = comparison(40, 160, champion_caught=36, scams_lost=2, scams_won=2)
    decision = decide(evaluation(golden=golden))
    assert decision.outcome == "golden-accuracy"
    assert "enlarge the golden set" in decision.message


def test_more_false_positives_are_refused_even_when_accuracy_rises():
    golden = comparison(
        300, 2000, champion_caught=250, scams_won=40, champion_flagged=12, hams_lost=12
    )
    assert outcome(golden=golden) == "golden-fpr"


def test_a_model_that_does_not_learn_the_corrections_is_refused():
    worse = comparison(40, champion_caught=20, scams_lost=3, scams_won=2)
    assert outcome(corrections=worse) == "corrections"
    only_false_alarms = comparison(0, 30, champion_flagged=20, hams_lost=2)
    assert outcome(corrections=only_false_alarms) == "corrections"
    assert outcome(corrections=Comparison()) == "corrections"


def test_a_model_that_forgets_earlier_corrections_is_refused():
    forgetful = comparison(60, champion_caught=55, scams_lost=9, scams_won=1)
    assert outcome(old_errors=forgetful) == "old-errors"
    noise = comparison(60, champion_caught=55, scams_lost=2, scams_won=1)
    assert outcome(old_errors=noise) == PROMOTE


def test_a_collapsing_slice_is_refused_and_named_though_the_average_holds():
    short = Slice(
        dimension="length",
        value="under 40",
        comparison=comparison(60, champion_caught=55, scams_lost=9),
    )
    golden = comparison(300, 2000, champion_caught=285, scams_lost=9, scams_won=9)
    decision = decide(evaluation(golden=golden, slices=[short]))
    assert decision.outcome == "slices"
    assert "under 40" in decision.message


def test_many_slices_share_the_risk_of_refusing_by_luck():
    quiet = [
        Slice(dimension="tactic", value=f"t{number}", comparison=comparison(60, 60))
        for number in range(50)
    ]

    def unlucky(lost: int) -> Slice:
        part = comparison(60, champion_caught=55, scams_lost=lost)
        return Slice(dimension="tactic", value="unlucky", comparison=part)

    assert outcome(slices=[unlucky(9)]) == "slices"
    assert outcome(slices=[*quiet, unlucky(9)]) == PROMOTE
    assert outcome(slices=[*quiet, unlucky(20)]) == "slices"


def test_a_small_slice_decides_nothing():
    tiny = Slice(
        dimension="length",
        value="empty",
        comparison=comparison(5, champion_caught=5, scams_lost=5),
    )
    assert outcome(slices=[tiny]) == PROMOTE


def test_twice_the_alarms_on_everyday_ham_are_refused_and_one_more_is_not():
    def frozen(before: int, more: int) -> Comparison:
        return comparison(0, 5000, champion_flagged=before, hams_lost=more)

    assert outcome(frozen_ham=frozen(20, 25)) == "frozen-ham"
    assert outcome(frozen_ham=frozen(20, 15)) == PROMOTE
    assert outcome(frozen_ham=frozen(0, 1)) == PROMOTE


def test_an_int8_file_that_judges_otherwise_is_refused():
    assert outcome(int8_flips=11) == PROMOTE
    assert outcome(int8_flips=12) == "int8-agrees"
    assert outcome(int8_compared=0, int8_flips=0) == "int8-agrees"


def test_a_jump_of_the_threshold_is_refused():
    assert outcome(threshold=0.46) == PROMOTE
    assert outcome(threshold=0.44) == "threshold-steady"
    assert outcome(threshold=0.66) == "threshold-steady"


@pytest.mark.parametrize("kind", ["reporter", "campaign"])
def test_nobody_decides_the_gate_alone(kind: str):
    loud = comparison(12, champion_caught=0, scams_won=12)
    rest = comparison(20, champion_caught=10, scams_lost=3, scams_won=1)
    together = comparison(32, champion_caught=10, scams_lost=3, scams_won=13)
    groups = [
        GroupShare(kind=kind, name="p-1", comparison=rest),
        GroupShare(kind=kind, name="p-2", comparison=loud),
    ]
    decision = decide(evaluation(corrections=together, groups=groups))
    assert decision.outcome == "influence"
    assert "p-2" in decision.message


def test_a_learned_phrase_that_lets_known_scams_pass_is_refused_with_both_counts():
    def probe(lost: int, won: int = 0) -> PhraseProbe:
        seen = comparison(100, champion_caught=85, scams_lost=lost, scams_won=won)
        return PhraseProbe(name="phrase-1a2b3c4d", carriers=12, comparison=seen)

    assert outcome(phrases=[probe(5)]) == PROMOTE
    assert outcome(phrases=[probe(4), probe(12, won=8)]) == PROMOTE
    assert outcome(champion=None, phrases=[probe(80)]) == PROMOTE
    refusal = first_refusal(chain(), evaluation(phrases=[probe(0), probe(30)]))
    assert refusal is not None
    assert refusal.reason == "phrases"
    for told in ("phrase-1a2b3c4d", "55 of 100", "champion 85", "12 corrections"):
        assert told in refusal.message


def test_many_small_falls_do_not_add_up_to_a_ratchet():
    golden = comparison(300, 2000, champion_caught=280, champion_flagged=12, scams_lost=5)
    best = BestEver(version="sms-v3", accuracy=0.998, fpr=0.004)
    assert outcome(golden=golden) == PROMOTE
    decision = decide(evaluation(golden=golden, best=best))
    assert decision.outcome == "no-ratchet"
    assert "sms-v3" in decision.message


def test_the_best_ever_bounds_the_false_positive_rate_as_well():
    golden = comparison(300, 2000, champion_caught=285, champion_flagged=20)
    best = BestEver(version="sms-v3", accuracy=0.985, fpr=0.004)
    assert outcome(golden=golden, best=best) == "no-ratchet"


def test_a_first_model_must_stand_on_its_own():
    first = {"champion": None, "champion_threshold": None, "fresh_feedback": 0}
    good = Comparison(tp=280, fn=20, fp=10, tn=1990)
    assert outcome(**first, golden=good, corrections=Comparison()) == PROMOTE
    deaf = Comparison(tp=100, fn=200, fp=0, tn=2000)
    assert outcome(**first, golden=deaf, corrections=Comparison()) == "first-model"
    shrill = Comparison(tp=300, fn=0, fp=100, tn=1900)
    assert outcome(**first, golden=shrill, corrections=Comparison()) == "first-model"
    one_class = Comparison(tp=0, fn=0, fp=0, tn=2000)
    assert outcome(**first, golden=one_class, corrections=Comparison()) == "first-model"


def test_every_refusal_is_kept_with_its_evidence_and_the_first_is_the_outcome():
    decision = decide(evaluation(fresh_feedback=3, int8_flips=100))
    refused = [finding for finding in decision.findings if not finding.passed]
    assert [finding.gate for finding in refused] == ["enough-feedback", "int8-agrees"]
    assert decision.outcome == "enough-feedback"
    assert "1 more refused" in decision.message
    assert refused[1].evidence["flips"] == 100


def test_limits_are_parameters():
    assert decide(evaluation(fresh_feedback=3), GateLimits(min_feedback=3)).outcome == PROMOTE


def test_the_input_survives_its_json_and_unknown_fields_are_refused():
    before = evaluation(
        groups=[GroupShare(kind="reporter", name="p", comparison=comparison(1))],
        best=BestEver(version="sms-v1", accuracy=0.9, fpr=0.01),
    )
    text = before.model_dump_json(by_alias=True)
    assert "freshFeedback" in json.loads(text)
    assert GateInput.model_validate_json(text) == before
    with pytest.raises(ValidationError):
        GateInput.model_validate({**json.loads(text), "promote": True})


def test_impossible_counts_are_refused():
    with pytest.raises(ValidationError, match="do not fit"):
        Comparison(tp=1, scams_won=2)


counts = st.integers(0, 50)


@st.composite
def comparisons(draw: st.DrawFn) -> Comparison:
    tp, fn, fp, tn = (draw(counts) for _ in range(4))
    return Comparison(
        tp=tp,
        fn=fn,
        fp=fp,
        tn=tn,
        scams_won=draw(st.integers(0, tp)),
        scams_lost=draw(st.integers(0, fn)),
        hams_lost=draw(st.integers(0, fp)),
        hams_won=draw(st.integers(0, tn)),
    )


evaluations = st.builds(
    evaluation,
    champion=st.sampled_from(["sha256:old", None]),
    fresh_feedback=st.integers(0, 100),
    golden=comparisons(),
    corrections=comparisons(),
    old_errors=comparisons(),
    frozen_ham=comparisons(),
    slices=st.lists(
        st.builds(Slice, dimension=st.just("x"), value=st.just("y"), comparison=comparisons()),
        max_size=3,
    ),
    best=st.none()
    | st.builds(BestEver, version=st.just("v"), accuracy=st.floats(0, 1), fpr=st.floats(0, 1)),
    int8_flips=st.integers(0, 50),
    threshold=st.floats(0.01, 1),
)


@given(evaluations)
def test_any_evaluation_gets_one_decision_with_reasons(given_: GateInput):
    decision = decide(given_)
    assert decision == decide(given_)
    refused = [finding.gate for finding in decision.findings if not finding.passed]
    assert decision.outcome == (refused[0] if refused else PROMOTE)
    assert first_refusal(chain(), given_) == decision.refusal
    assert all(finding.message for finding in decision.findings)


@given(evaluations, st.integers(1, 40))
def test_losing_more_golden_messages_never_turns_a_refusal_into_a_promotion(
    given_: GateInput, more: int
):
    golden = given_.golden
    agreed = golden.tp - golden.scams_won
    worse_by = min(more, agreed)
    worse = golden.model_copy(
        update={
            "tp": golden.tp - worse_by,
            "fn": golden.fn + worse_by,
            "scams_lost": golden.scams_lost + worse_by,
        }
    )
    if decide(given_.model_copy(update={"golden": worse})).outcome == PROMOTE:
        assert decide(given_).outcome == PROMOTE


def test_the_gates_import_no_clock_no_chance_and_no_file():
    room = Path(shield.gates.__file__).parent
    allowed = {"collections.abc", "typing", "pydantic"}
    for module in room.glob("*.py"):
        for node in ast.walk(ast.parse(module.read_text())):
            if isinstance(node, ast.ImportFrom):
                assert node.module is not None
                assert node.module in allowed or node.module.startswith("shield."), module
            assert not isinstance(node, ast.Import), module


def test_a_model_one_point_worse_is_rarely_promoted_and_one_point_better_nearly_always():
    chance = random.Random(11)

    def promoted(change: float) -> bool:
        lost = won = 0
        for _ in range(2000):  # 3 % of verdicts differ
            draw = chance.random()
            lost += draw < (0.03 - change) / 2
            won += (0.03 - change) / 2 <= draw < 0.03
        golden = comparison(1000, 1000, champion_caught=900, scams_lost=lost, scams_won=won)
        return outcome(golden=golden) == PROMOTE

    assert sum(promoted(-0.01) for _ in range(60)) <= 6
    assert sum(promoted(+0.01) for _ in range(60)) >= 54


def test_every_gate_and_its_limit_stand_in_the_docs():
    page = (Path(__file__).parents[3] / "docs" / "gates.md").read_text()
    named = [line.split("`")[1] for line in page.splitlines() if line.startswith("| `")]
    assert named == [finding.gate for finding in decide(evaluation()).findings]
    limits = GateLimits()
    for gate, shown in {
        "enough-feedback": f"{limits.min_feedback}",
        "int8-agrees": f"{100 * limits.int8_flips:.1f} %",
        "threshold-steady": f"{limits.threshold_moved}",
        "golden-accuracy": f"{100 * limits.accuracy_drop:.1f} point",
        "frozen-ham": f"{limits.frozen_ham_factor:.0f}",
        "slices": f"{100 * limits.slice_drop:.0f} points",
        "phrases": f"{100 * limits.phrase_drop:.0f} points",
        "no-ratchet": f"{100 * limits.best_ever_drop:.1f} point",
    }.items():
        row = next(line for line in page.splitlines() if line.startswith(f"| `{gate}`"))
        assert shown in row.split("|")[3], gate
