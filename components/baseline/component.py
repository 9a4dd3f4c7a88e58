"""KFP signature of the linear baseline; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Model, Output

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def baseline(
    dataset: Input[Dataset],
    champion: Input[Model],
    model: Output[Artifact],
    seed: int = 0,
    start: str = "champion",
    fpr_budget: float = 0.01,
) -> None:
    """Train the linear model: the baseline of the transformer, and half of the predictor.

    Args:
        dataset: Training and validation messages, from `build_dataset`.
        champion: Package directory whose linear half is gone on from; empty when there is none.
        model: One safetensors file.
        seed: Seed of all random draws.
        start: What a training goes on from: the champion, the base model and no linear half, or the
            better of champion and base (twice as long).
        fpr_budget: Share of harmless messages that may be flagged; it sets the operating point.
    """
    from pathlib import Path

    from components.baseline.step import run
    from components.shared.datasets import at_hand
    from components.shared.environment import StepSettings, end_with_runner, open_artifacts
    from components.shared.lease import keep_lease
    from shield.retraining import of_step
    from shield.run_files import DATASET, DatasetFacts

    parameters = of_step("baseline", locals())
    end_with_runner()
    keep_lease(DatasetFacts.read(Path(dataset.path) / DATASET).lease, StepSettings())
    with at_hand(open_artifacts(), Path(dataset.path)) as messages:
        run(messages, Path(model.path), Path(champion.path), **parameters)
