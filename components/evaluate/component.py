"""KFP signature of the evaluation; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, ClassificationMetrics, Dataset, Input, Metrics, Model, Output

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def evaluate(
    dataset: Input[Dataset],
    challenger: Input[Model],
    champion: Input[Model],
    baseline: Input[Artifact],
    history: Input[Artifact],
    evaluations: Output[Artifact],
    metrics: Output[Metrics],
    curves: Output[ClassificationMetrics],
    report: Output[HTML],
    seed: int = 0,
    min_feedback: int = 50,
    fpr_budget: float = 0.01,
    limits: dict = {},  # type: ignore[type-arg]  # noqa: B006  # KFP reads the annotation
) -> None:
    """Judge the challenger beside the champion, by the code and the file that will serve.

    Args:
        dataset: Judged sets, from `build_dataset`.
        challenger: Package directory, from `train`.
        champion: Package directory of the model that serves now; one without manifest means none.
        baseline: Linear model, from `baseline`.
        history: Golden figures of earlier versions, as a JSON list.
        evaluations: What `gate` reads, as JSON.
        metrics: Flat figures for the dashboard.
        curves: ROC and confusion matrix on the golden set.
        report: One self-contained HTML page.
        seed: Seed of all random draws.
        min_feedback: The run is skipped if fewer corrections than this are approved.
        fpr_budget: Share of harmless messages that may be flagged; it sets the operating point.
        limits: Limits of the gates that differ from the defaults, e.g. `{"accuracyDrop": 0.005}`.
    """
    from pathlib import Path

    from components.evaluate.figures import in_words
    from components.evaluate.step import run
    from components.shared.datasets import at_hand
    from components.shared.environment import StepSettings, end_with_runner, open_artifacts
    from components.shared.lease import keep_lease
    from shield.gates import GateLimits
    from shield.retraining import of_step
    from shield.run_files import DATASET, DatasetFacts

    parameters = of_step("evaluate", locals())
    told = {"minFeedback": parameters.pop("min_feedback"), **parameters.pop("limits")}
    end_with_runner()
    keep_lease(DatasetFacts.read(Path(dataset.path) / DATASET).lease, StepSettings())
    with at_hand(open_artifacts(), Path(dataset.path)) as messages:
        judged = run(
            messages,
            Path(challenger.path),
            Path(champion.path),
            Path(evaluations.path),
            Path(report.path),
            baseline=Path(baseline.path),
            history=Path(history.path),
            limits=GateLimits.model_validate(told),
            **parameters,
        )
    for name, value in judged.gate_input.metrics.items():
        metrics.log_metric(in_words(name), round(value, 4))
    curves.log_confusion_matrix(["harmless", "scam"], judged.confusion)
    if judged.roc:
        curves.log_roc_curve(
            [point.fpr for point in judged.roc],
            [point.tpr for point in judged.roc],
            [point.threshold for point in judged.roc],
        )
