"""KFP signature of `train`; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import HTML, Dataset, Input, Model, Output

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def train(
    dataset: Input[Dataset],
    champion: Input[Model],
    model: Output[Model],
    curves: Output[HTML],
    seed: int = 0,
    epochs: int = 3,
    learning_rate: float = 1e-4,
    max_tokens: int = 128,
    token_budget: int = 1024,
    fpr_budget: float = 0.01,
    start: str = "champion",
) -> None:
    """Fine-tune the champion (or the base model) on the dataset.

    Args:
        dataset: From `build_dataset`.
        champion: Package directory; empty when there is none.
        model: Package directory, not yet signed.
        curves: Loss per epoch.
        seed: Of the order of messages, and of a fresh head.
        epochs: Passes over the data.
        learning_rate: Its highest value.
        max_tokens: Longest row; longer texts are cut in windows when they are judged.
        token_budget: Tokens per step, padding included.
        fpr_budget: Share of harmless messages that may be flagged.
        start: "champion", "base" to start afresh, or "better": the better of both, twice as long.
    """
    from pathlib import Path

    from components.shared.environment import StepSettings, end_with_runner
    from components.shared.lease import keep_lease
    from components.train.recipe import Recipe
    from components.train.step import run_from
    from shield.run_files import DATASET, DatasetFacts

    end_with_runner()
    settings = StepSettings()
    facts = DatasetFacts.read(Path(dataset.path) / DATASET)
    keep_lease(facts.lease, settings)
    package = run_from(
        start,
        Path(dataset.path),
        Path(champion.path),
        Path(model.path),
        settings=settings,
        recipe=Recipe(
            seed=seed,
            epochs=epochs,
            learning_rate=learning_rate,
            max_tokens=max_tokens,
            token_budget=token_budget,
            threads=settings.threads,
            precision=settings.precision,
        ),
        run_id=facts.run_id,
        # The batch's time, not today's: a repeated run must make the same bytes.
        created_at=facts.sealed_at,
        fpr_budget=fpr_budget,
        curves=Path(curves.path),
        checkpoint_seconds=settings.checkpoint_seconds,
    )
    model.metadata["digest"] = package.digest
    model.metadata["framework"] = "onnx"
