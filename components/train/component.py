"""KFP signature of `train`; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Model, Output

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def train(
    dataset: Input[Dataset],
    champion: Input[Model],
    linear: Input[Artifact],
    model: Output[Model],
    curves: Output[HTML],
    seed: int = 0,
    epochs: int = 3,
    learning_rate: float = 5e-05,
    max_tokens: int = 128,
    token_budget: int = 1024,
    start: str = "champion",
    fpr_budget: float = 0.01,
) -> None:
    """Fine-tune the champion (or the base model) on the dataset.

    Args:
        dataset: From `build_dataset`.
        champion: Package directory; empty when there is none.
        linear: The linear half of the predictor, from `baseline`.
        model: Package directory, not yet signed.
        curves: Loss per epoch.
        seed: Seed of all random draws.
        epochs: Maximum number of passes over the training data.
        learning_rate: Peak learning rate.
        max_tokens: Longest row; longer texts are evaluated in windows of this length.
        token_budget: Tokens per training step, padding included.
        start: What a training goes on from: the champion, the base model and no linear half, or the
            better of champion and base (twice as long).
        fpr_budget: Share of harmless messages that may be flagged; it sets the operating point.
    """
    from pathlib import Path

    from components.shared.datasets import at_hand
    from components.shared.environment import StepSettings, end_with_runner, open_artifacts
    from components.shared.lease import keep_lease
    from components.train.recipe import Recipe
    from components.train.step import run_from
    from shield.retraining import of_step
    from shield.run_files import DATASET, DatasetFacts

    parameters = of_step("train", locals())
    end_with_runner()
    settings = StepSettings()
    facts = DatasetFacts.read(Path(dataset.path) / DATASET)
    keep_lease(facts.lease, settings)
    with at_hand(open_artifacts(), Path(dataset.path)) as messages:
        package = run_from(
            parameters.pop("start"),
            messages,
            Path(champion.path),
            Path(model.path),
            settings=settings,
            fpr_budget=parameters.pop("fpr_budget"),
            recipe=Recipe(threads=settings.threads, precision=settings.precision, **parameters),
            run_id=facts.run_id,
            # The batch's time, not today's: a repeated run must make the same bytes.
            created_at=facts.sealed_at,
            linear=Path(linear.path),
            curves=Path(curves.path),
            checkpoint_seconds=settings.checkpoint_seconds,
        )
    model.metadata["digest"] = package.digest
    model.metadata["framework"] = "onnx"
