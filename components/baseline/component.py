"""KFP signature of the linear baseline; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Output

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def baseline(
    dataset: Input[Dataset],
    model: Output[Artifact],
    fpr_budget: float = 0.01,
    seed: int = 0,
) -> None:
    """Train the linear model that the transformer has to beat, and that answers while it is away.

    Args:
        dataset: Training and validation messages, from `build_dataset`.
        model: One safetensors file.
        fpr_budget: False-positive rate that its threshold is set for.
        seed: Draws the sample of very large training sets.
    """
    from pathlib import Path

    from components.baseline.step import run
    from components.shared.environment import StepSettings, end_with_runner
    from components.shared.lease import keep_lease
    from shield.run_files import DATASET, DatasetFacts

    end_with_runner()
    keep_lease(DatasetFacts.read(Path(dataset.path) / DATASET).lease, StepSettings())
    run(Path(dataset.path), Path(model.path), fpr_budget=fpr_budget, seed=seed)
