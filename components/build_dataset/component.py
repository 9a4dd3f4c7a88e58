"""KFP signature of `build_dataset`; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Dataset, Input, Output

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def build_dataset(
    inputs: Input[Artifact],
    dataset: Output[Dataset],
    card: Output[HTML],
    seed: int = 0,
    replay: int = 0,
    per_reporter: int = 50,
    per_campaign: int = 20,
) -> None:
    """Put corrections and replay together, split so that nothing leaks.

    Args:
        inputs: From `collect`.
        dataset: Directory with `dataset.json`; `components.shared.datasets` has the files, as long
            as the run lasts.
        card: What is in it, for people.
        seed: Seed of all random draws.
        replay: Messages of the base corpus to train on again; 0: by the number of corrections.
        per_reporter: Maximum number of corrections from one reporter. A champion keeps what it has
            learned of more: `start=base` forgets it.
        per_campaign: Maximum number of wordings of one campaign. A champion keeps what it has
            learned of more: `start=base` forgets it.
    """
    import tempfile
    from pathlib import Path

    from components.build_dataset.corrections import Caps
    from components.build_dataset.step import run
    from components.shared.datasets import leave
    from components.shared.environment import StepSettings, end_with_runner, open_artifacts
    from components.shared.lease import keep_lease
    from shield.retraining import of_step
    from shield.run_files import RunInputs

    parameters = of_step("build_dataset", locals())
    end_with_runner()
    keep_lease(RunInputs.read(Path(inputs.path)).lease, StepSettings())
    store = open_artifacts()
    with tempfile.TemporaryDirectory(prefix="dataset-") as cache:
        run(
            Path(inputs.path),
            store,
            Path(dataset.path),
            Path(card.path),
            cache=Path(cache),
            caps=Caps(
                per_reporter=parameters.pop("per_reporter"),
                per_campaign=parameters.pop("per_campaign"),
            ),
            **parameters,
        )
        leave(store, RunInputs.read(Path(inputs.path)).run_id, Path(dataset.path))
