"""Train a first model by the product's own steps, and judge it by what taught it nothing.

`prepare_corpus`, `baseline` and `train` make it; it is judged by the int8 file that would serve, on
templates and tactics of the book that teach nobody, and on the golden set.
"""

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bench.learning.lab import WORK
from components.baseline import step as baseline_step
from components.prepare_corpus import step as prepare_step
from components.prepare_corpus.book import book_messages
from components.prepare_corpus.first import first_dataset
from components.shared import messages
from components.shared.environment import StepSettings
from components.train import step as train_step
from components.train.recipe import Recipe
from shield.book import Side, read_tactics
from shield.labels import Certainty, ModelType
from shield.packages import ModelPackage
from shield.predictor import Predictor

ALL, BUDGET = "all languages", 0.01
PADDED = 30
"""Scams of each language that are put among friendly messages."""


def first_model(
    work: Path,
    base: str,
    model_type: ModelType,
    seed: int,
    *,
    epochs: int | None = None,
    most: int = 0,
) -> tuple[ModelPackage, Path]:
    """Make a first model; return its package and its dataset, with the judging half in it.

    Args:
        work: An empty folder.
        base: Name of the base model, or its folder.
        model_type: Whose messages.
        seed: Draws the messages and trains the encoder.
        epochs: As the recipe has it if left out.
        most: Take only so many messages of each collection (0: all).
    """
    settings = StepSettings(base_model=Path(base), api_url=None, checkpoint_dir=work / "kept")
    corpus, dataset, package = (work / part for part in ("corpus", "dataset", "model"))
    prepare_step.run(
        corpus, model_type=model_type, settings=settings, seed=seed, most_messages=most
    )
    # Judged is every language, whatever was taught.
    write_judge_half(corpus, model_type, seed, most)
    first_dataset(corpus, dataset)
    baseline_step.run(dataset, dataset / "linear", seed=seed)
    package.mkdir()
    made = train_step.run(
        dataset,
        None,
        package,
        linear=dataset / "linear",
        settings=settings,
        recipe=Recipe(seed=seed, epochs=epochs or Recipe().epochs, learning_rate=1e-4),
        run_id="bench",
        created_at=None,
    )
    return made, dataset


def judge_first_model(
    base: str,
    model_type: ModelType,
    seed: int,
    *,
    epochs: int | None = None,
    most: int = 0,
) -> dict[str, Any]:
    """Make a first model, and return what it finds; see `first_model`."""
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as work:
        made, dataset = first_model(
            Path(work),
            base,
            model_type,
            seed,
            epochs=epochs,
            most=most,
        )
        predictor = Predictor(made)
        judge, golden = (messages.read(dataset / f"{part}.parquet") for part in ("judge", "golden"))
        margins = predictor.margins(judge["text"].to_list())
        figures: dict[str, Any] = judged(judge, margins, sure_of(predictor, margins))
        if model_type is ModelType.SMS:
            figures["padded"] = _padded(judge, predictor, seed)
        real = predictor.margins(golden["text"].to_list())
        scam = golden["label"].to_numpy() == 1
        figures["golden"] = at_the_point(scam, real)
        figures["certainty"] |= certainty(scam, real, sure_of(predictor, real), "the golden set")
        figures["training"] = {
            "messages": messages.read(dataset / "train.parquet").height,
            "int8 MB": (made.path / "model.int8.onnx").stat().st_size / 1e6,
        }
    return figures


def write_judge_half(corpus: Path, model_type: ModelType, seed: int, most: int) -> None:
    """Write the book's judging half in all languages beside a corpus; `most` messages, 0: all."""
    table = book_messages(model_type, Side.JUDGE, seed=seed)
    if most:
        table = table.sample(min(most, table.height), seed=seed)
    messages.write(table.sort("id"), corpus / "judge.parquet")


def sure_of(predictor: Predictor, margins: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return of which verdicts a predictor is sure, by their margins, shape (n,)."""
    odds = 1 / (1 + np.exp(-margins))
    return np.array([predictor.certainty(each) is Certainty.SURE for each in odds], dtype=np.bool_)


def judged(
    table: pl.DataFrame, margins: NDArray[np.float64], sure: NDArray[np.bool_]
) -> dict[str, dict[str, float]]:
    """Return recall by language, false alarms by kind, at two points, and certainty.

    Args:
        table: The judging half.
        margins: Of its messages, shape (n,); served verdicts turn at 0.
        sure: Whether the verdict is sure, shape (n,).
    """
    scam = table["label"].to_numpy() == 1
    language, tactic = table["language"].to_numpy(), table["tactic"].to_numpy()
    known = read_tactics()
    new = np.array([bool(each) and known[each].judge_only for each in tactic])
    point = float(np.quantile(margins[~scam], 1 - BUDGET, method="higher"))
    masks = {ALL: np.ones(scam.size, dtype=np.bool_)}
    masks |= {str(code): language == code for code in sorted(set(language))}

    def recall(at: float) -> dict[str, float]:
        return {name: float(np.mean(margins[scam & mask] > at)) for name, mask in masks.items()}

    twin, everyday = ~scam & (tactic != ""), ~scam & (tactic == "")
    return {
        "recall": recall(point),
        "served": recall(0.0),
        "kinds": {
            "recall on tactics never taught": float(np.mean(margins[scam & new] > point)),
            "recall on taught tactics": float(np.mean(margins[scam & ~new] > point)),
            "harmless twins flagged": float(np.mean(margins[twin] >= 0)),
            "everyday messages flagged": float(np.mean(margins[everyday] >= 0)),
        },
        "certainty": certainty(scam, margins, sure, "the judging half")
        | certainty(scam[new], margins[new], sure[new], "tactics never taught"),
    }


def certainty(
    scam: NDArray[np.bool_], margins: NDArray[np.float64], sure: NDArray[np.bool_], of: str
) -> dict[str, float]:
    """Return the share of verdicts that are unsure, and of the sure ones that are wrong."""
    wrong = (margins[sure] >= 0) != scam[sure]
    return {
        f"unsure, {of}": float(np.mean(~sure)),
        f"sure and wrong, {of}": float(np.mean(wrong)) if sure.any() else 0.0,
    }


def at_the_point(scam: NDArray[np.bool_], margins: NDArray[np.float64]) -> dict[str, float]:
    """Return accuracy, recall and false alarms of served verdicts, and recall at the budget."""
    point = float(np.quantile(margins[~scam], 1 - BUDGET, method="higher"))
    return {
        "accuracy": float(np.mean((margins >= 0) == scam)),
        "recall": float(np.mean(margins[scam] >= 0)),
        "false alarms": float(np.mean(margins[~scam] >= 0)),
        "recall at the budget": float(np.mean(margins[scam] > point)),
    }


def _padded(table: pl.DataFrame, predictor: Predictor, seed: int) -> dict[str, float]:
    """Return what is flagged of scams with four everyday messages around, and of five alone."""
    rng = np.random.default_rng(seed)
    flagged: dict[str, list[bool]] = {"scams among four friendly messages": [], "five alone": []}
    for (_language,), part in table.sort("id").group_by("language", maintain_order=True):
        everyday = part.filter((pl.col("label") == 0) & (pl.col("tactic") == ""))["text"].to_list()
        scams = part.filter(pl.col("label") == 1)["text"].to_list()
        for scam in rng.choice(scams, min(PADDED, len(scams)), replace=False).tolist():
            company = rng.choice(everyday, 5).tolist()
            padded = [*company[:4]]
            padded.insert(int(rng.integers(5)), scam)
            for name, parts in zip(flagged, (padded, company), strict=True):
                flagged[name].append(bool(predictor.margins([" ".join(parts)])[0] >= 0))
    return {name: float(np.mean(each)) for name, each in flagged.items()}
