"""What Kubeflow's dashboard shows of a verdict and of a look for drift."""

from datetime import UTC, datetime

from components.drift_watch.telling import as_markdown as look_as_markdown
from components.gate.step import as_markdown
from shield.gates import Comparison, GateInput, GateLimits, decide
from shield.labels import ModelType
from shield.wire import DriftLook, DriftSignal, DriftVerdict


def test_a_verdict_begins_with_its_outcome_and_lists_every_gate() -> None:
    golden = Comparison(tp=95, fn=5, fp=1, tn=899)
    given = GateInput(
        model_type=ModelType.SMS,
        champion=None,
        challenger="sha256:a",
        fresh_feedback=0,
        budget=0.01,
        golden_digest="sha256:g",
        golden=golden,
        int8_compared=1000,
        int8_flips=0,
    )
    promoted = as_markdown(decide(given, GateLimits(min_feedback=0)))
    assert promoted.startswith("# Promoted\n")
    assert promoted.count("\n- **") == 13
    assert "## 13 of 13 gates passed" in promoted
    given.champion = "sha256:c"
    refused = as_markdown(decide(given, GateLimits(min_feedback=50)))
    assert refused.startswith("# Refused: enough-feedback\n")
    assert refused.index("- **enough-feedback**: ") < refused.index("gates passed")


def test_a_look_begins_with_its_verdict_and_lists_every_signal() -> None:
    signal = DriftSignal(
        name="false_alarms",
        says=DriftVerdict.RETRAIN,
        events=9,
        trials=40,
        limit=0.1,
        evidence=1.2,
        message="false alarms: 9 of 40\nflagged.",
    )
    look = DriftLook(
        model_type=ModelType.SMS,
        champion="sms-v3",
        at=datetime(2026, 11, 29, tzinfo=UTC),
        verdict=DriftVerdict.RETRAIN,
        alpha=0.05,
        signals=[signal],
        reason="misses ask.",
    )
    told = look_as_markdown(look)
    assert told.startswith("# Drift: a retraining is asked for\n\nmisses ask.\n")
    assert (
        "- **false alarms: retrain.** 9 of 40 flagged. Seen: 9 of 40; drift above 10.00%." in told
    )
    assert "Evidence: 120% of what asks for a retraining." in told
    calm = look.model_copy(update={"verdict": DriftVerdict.CANNOT_TELL, "reason": "9 of 40. " * 6})
    assert look_as_markdown(calm).count("9 of 40.") == 0, "all that the signals say is said twice"
