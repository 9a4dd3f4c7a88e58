"""KFP signature of `drift_watch`; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import Artifact, Output

from components.images import LIGHT


@dsl.component(base_image=LIGHT, install_kfp_package=False)  # type: ignore[untyped-decorator]
def drift_watch(
    model_type: str,
    report: Output[Artifact],
    alpha: float = 0.05,
) -> str:
    """Ask whether the champion has begun to miss more than it was released with.

    Args:
        model_type: sms, phishing or voice.
        report: Every signal with its counts, as JSON.
        alpha: Chance of ever asking for a retraining that is not needed, per champion.

    Returns:
        "retrain", "steady" or "cannot_tell".
    """
    from datetime import UTC, datetime
    from pathlib import Path

    from components.drift_watch.step import DriftLimits, run
    from components.environment import end_with_runner, open_client
    from shield.labels import ModelType

    end_with_runner()
    with open_client() as client:
        return run(
            client,
            Path(report.path),
            model_type=ModelType(model_type),
            now=datetime.now(UTC),
            limits=DriftLimits(alpha=alpha),
        )
