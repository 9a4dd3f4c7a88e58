"""KFP signature of `gate`; the policy is `shield.gates`."""

from kfp import dsl
from kfp.dsl import Artifact, Input, Markdown, Output

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def gate(
    evaluations: Input[Artifact],
    verdict: Output[Artifact],
    told: Output[Markdown],
    min_feedback: int = 50,
    limits: dict = {},  # type: ignore[type-arg]  # noqa: B006  # KFP reads the annotation
) -> str:
    """Decide whether the challenger may replace the champion.

    Args:
        evaluations: Counts of both models on every set, from `evaluate`.
        verdict: The decision with the findings of every gate, as JSON.
        told: The same for people.
        min_feedback: The run is skipped if fewer corrections than this are approved.
        limits: Limits of the gates that differ from the defaults, e.g. `{"accuracyDrop": 0.005}`.

    Returns:
        "promote", or the name of the gate that refused.
    """
    from pathlib import Path

    from components.gate.step import as_markdown, run
    from components.shared.environment import end_with_runner
    from shield.gates import GateLimits

    end_with_runner()
    gate_limits = GateLimits.model_validate({"minFeedback": min_feedback, **limits})
    decision = run(Path(evaluations.path), Path(verdict.path), limits=gate_limits)
    Path(told.path).write_text(as_markdown(decision), encoding="utf-8")
    return decision.outcome
