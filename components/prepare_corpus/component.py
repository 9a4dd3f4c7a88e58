"""KFP signature of `prepare_corpus`; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Model, Output

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def prepare_corpus(
    model_type: str,
    corpus: Output[Dataset],
    dataset: Output[Dataset],
    champion: Output[Model],
    history: Output[Artifact],
    seed: int = 0,
    hold_back: float = 0.0,
    most_messages: int = 0,
    most_train: int = 0,
) -> None:
    """Cut the base corpus for a first model.

    Args:
        model_type: A model type, e.g. "sms".
        corpus: Directory with every set and `corpus.json`.
        dataset: What the first model is trained and judged on.
        champion: An empty directory: there is none yet.
        history: An empty list: nothing came before.
        seed: Seed of the splits and tactics.
        hold_back: Share of the scams, in whole tactics, that the model never sees.
        most_messages: Keep only so many (0: all).
        most_train: Train on only so many of them (0: all).
    """
    from pathlib import Path

    from components.prepare_corpus.first import first_dataset
    from components.prepare_corpus.step import run
    from components.shared.environment import StepSettings, end_with_runner
    from shield.labels import ModelType

    end_with_runner()
    run(
        Path(corpus.path),
        model_type=ModelType(model_type),
        settings=StepSettings(),
        seed=seed,
        hold_back=hold_back,
        most_messages=most_messages,
        most_train=most_train,
    )
    first_dataset(Path(corpus.path), Path(dataset.path))
    Path(champion.path).mkdir(parents=True, exist_ok=True)
    Path(history.path).write_text("[]")
