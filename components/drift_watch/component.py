"""KFP signature of `drift_watch`; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import Artifact, Markdown, Metrics, Output

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def drift_watch(
    model_type: str,
    run_id: str,
    job_id: str,
    report: Output[Artifact],
    summary: Output[Markdown],
    metrics: Output[Metrics],
    alpha: float = 0.05,
) -> str:
    """Ask whether the champion still does what it was released for.

    Args:
        model_type: A model type, e.g. "sms".
        run_id: Of the look, and of the retraining that it may ask for. Empty: `job_id`.
        job_id: The engine's name of this run.
        report: Every signal with its counts, as JSON.
        summary: The same for people.
        metrics: The evidence of every signal, as a share of what is needed: 1 asks.
        alpha: Retrainings asked for in a year that are not needed, on average.

    Returns:
        "retrain", "steady" or "cannot_tell"; "tried" where a retraining was asked for lately.
    """
    import tempfile
    from datetime import UTC, datetime
    from pathlib import Path

    from components.drift_watch.signals import DriftLimits
    from components.drift_watch.step import run, told
    from components.drift_watch.telling import as_markdown
    from components.shared.environment import (
        StepSettings,
        end_with_runner,
        open_artifacts,
        open_client,
    )
    from components.shared.runs import amend_outcome, begin_outcome, run_name
    from shield.labels import ModelType
    from shield.wire import DriftVerdict, RunOutcome

    end_with_runner()
    run_id = run_name(run_id, job_id)
    settings, store = StepSettings(), open_artifacts()
    begin_outcome(store, run_id, job_id)
    with open_client(settings) as client, tempfile.TemporaryDirectory() as cache:
        look = run(
            client,
            store,
            Path(report.path),
            model_type=ModelType(model_type),
            run_id=run_id,
            now=datetime.now(UTC),
            limits=DriftLimits(alpha=alpha),
            cache=Path(cache),
            goes_on=True,
            engine=settings.engine,
        )
    Path(summary.path).write_text(as_markdown(look), encoding="utf-8")
    if not look.retrains:
        message = told(look)
        amend_outcome(store, run_id, outcome=RunOutcome.SKIPPED, message=message, ended=True)
    for signal in look.signals:
        name = f"{signal.name}: evidence (1 asks for a retraining)"
        metrics.log_metric(name, round(signal.evidence, 4))
    if look.verdict is DriftVerdict.RETRAIN and not look.retrains:
        return "tried"
    return look.verdict.value
