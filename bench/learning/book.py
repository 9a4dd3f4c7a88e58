"""The book's judging half: what a first model finds in each language, by base model.

`prepare_corpus`, `baseline` and `train` make first models of the product's own recipe, from several
seeds. They are judged by the int8 file that would serve, on templates and tactics that taught none
of them. Each training is kept, so that a benchmark that was stopped goes on where it was.
"""

import shutil
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import components.prepare_corpus
import components.shared
import components.train
from bench.learning.lab import WORK, kept
from bench.outcome import Aim, Outcome, Scale, spread
from components.baseline import step as baseline_step
from components.prepare_corpus import step as prepare_step
from components.prepare_corpus.first import first_dataset
from components.shared import messages
from components.shared.base_model import MINILM, MULTILINGUAL
from components.shared.environment import StepSettings
from components.train import step as train_step
from components.train.recipe import Recipe
from shield.book import book_digest, languages_at, read_tactics
from shield.labels import ModelType
from shield.predictor import Predictor

BASES = {
    MULTILINGUAL: (MULTILINGUAL, None),
    "minilm, taught all languages": (MINILM, "all"),
    "minilm, taught English": (MINILM, None),
}
"""Name -> base model, and the languages that the book teaches in (None: as by default)."""
FEWER = {"minilm, taught all languages": 1}
"""Bases that are trained from fewer seeds: they say what the languages alone bring."""
ALL, BUDGET = "all languages", 0.01
PADDED = 30
"""Scams of each language that are put among friendly messages."""
LARGE = 200
"""Scams of a language, over all seeds, from which on it is judged by itself."""


def run(scale: Scale) -> Outcome:
    """Train each base from each seed, and compare."""
    seeds = scale.seeds[: scale.pick(3, 1)]
    bases = list(BASES)[: scale.pick(len(BASES), 1)]
    runs = {
        base: [one(base, seed, scale) for seed in seeds[: FEWER.get(base, len(seeds))]]
        for base in bases
    }
    ours, today = runs[MULTILINGUAL], runs.get("minilm, taught English", [])
    languages = sorted(set(ours[0]["recall"]) - {ALL})
    lowest = min(languages, key=lambda code: _mean(ours, "recall", code))
    figures = {
        "seeds": list(seeds),
        "runs": runs,
        "mean": {
            base: {
                what: {
                    key: spread([each[what][key] for each in of_base]) for key in of_base[0][what]
                }
                for what in ("recall", "served", "kinds", "padded", "golden", "training")
            }
            for base, of_base in runs.items()
        },
    }
    everywhere = _mean(ours, "recall", ALL)
    unseen = _mean(ours, "kinds", "recall on tactics never taught")
    twins = _mean(ours, "kinds", "harmless twins flagged")
    accuracy = _mean(ours, "golden", "accuracy")
    before = _mean(today, "golden", "accuracy") if today else float("nan")
    return Outcome(
        figures,
        [
            Aim(
                "book, sms: recall at 1 % false alarms over all judged messages",
                ">= 0.93",
                f"{everywhere:.3f} ({_others(runs)})",
                everywhere >= 0.93,
                "Four in five of the harmless messages are twins, written to look like the scams. "
                f"At the served point {_mean(ours, 'served', ALL):.3f} are found, at the share of "
                "twins flagged below.",
            ),
            Aim(
                f"book, sms: recall in every language with >= {LARGE} scams over all seeds",
                ">= 0.85",
                f"lowest {lowest} {_mean(ours, 'recall', lowest):.3f}; "
                + ", ".join(f"{code} {_mean(ours, 'recall', code):.2f}" for code in languages),
                _mean(ours, "recall", lowest) >= 0.85,
                "At the served point: "
                + ", ".join(f"{code} {_mean(ours, 'served', code):.2f}" for code in languages),
            ),
            Aim(
                "book, sms: recall on tactics never taught, same point",
                ">= 0.80",
                f"{unseen:.3f}",
                unseen >= 0.80,
            ),
            Aim(
                "book, sms: harmless twins flagged at the served operating point",
                "<= 2 %",
                f"{twins:.1%}; of everyday messages "
                f"{_mean(ours, 'kinds', 'everyday messages flagged'):.1%}",
                twins <= 0.02,
                "The point is set on teaching twins and on everyday messages, most of them real.",
            ),
            Aim(
                "book, sms: accuracy on the golden set (UCI), served",
                "not below MiniLM taught English",
                f"{accuracy:.4f}, MiniLM {before:.4f}",
                not accuracy < before,
                f"It finds {_mean(ours, 'golden', 'recall'):.3f} of these scams at "
                f"{_mean(ours, 'golden', 'false alarms'):.2%} false alarms. Its operating point is "
                "set on the book's twins too, in ten languages, which look more like scams than "
                "the collection's chat.",
            ),
        ],
    )


def one(base: str, seed: int, scale: Scale) -> Any:
    """Train one first model and judge it, or return what was found before."""
    rooms = (components.prepare_corpus, components.train, components.shared)
    return kept(
        {"experiment": "book", "base": base, "seed": seed, "book": book_digest()}
        | ({"short": True} if scale.short else {}),
        [*(Path(room.__path__[0]) for room in rooms), Path(__file__)],
        partial(_one, base, seed, scale),
    )


def _mean(runs: list[dict[str, Any]], what: str, key: str) -> float:
    return float(np.mean([each[what][key] for each in runs]))


def _others(runs: dict[str, list[dict[str, Any]]]) -> str:
    return ", ".join(
        f"{base}: {_mean(of_base, 'recall', ALL):.3f}"
        for base, of_base in runs.items()
        if base != MULTILINGUAL
    )


def _one(base: str, seed: int, scale: Scale) -> dict[str, Any]:
    name, taught = BASES[base]
    settings = StepSettings(base_model=Path(name), api_url=None)
    if taught:
        settings = settings.model_copy(update={"book_languages": languages_at()})
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as work:
        corpus, dataset, package = (Path(work) / part for part in ("corpus", "dataset", "model"))
        most = scale.pick(0, 600)
        prepare_step.run(
            corpus, model_type=ModelType.SMS, settings=settings, seed=seed, most_messages=most
        )
        # Judged is every language, whatever was taught.
        write_judge_half(corpus, seed, most)
        first_dataset(corpus, dataset)
        baseline_step.run(dataset, dataset / "linear")
        package.mkdir()
        made = train_step.run(
            dataset,
            None,
            package,
            linear=dataset / "linear",
            settings=settings.model_copy(update={"checkpoint_dir": Path(work) / "checkpoints"}),
            recipe=Recipe(seed=seed, epochs=scale.pick(Recipe().epochs, 1), learning_rate=1e-4),
            run_id="bench",
            created_at=None,
        )
        predictor = Predictor(made)
        judge, golden = (messages.read(dataset / f"{part}.parquet") for part in ("judge", "golden"))
        found = judged(judge, predictor.margins(judge["text"].to_list()))
        found["padded"] = _padded(judge, predictor, seed)
        margins = predictor.margins(golden["text"].to_list())
        found["golden"] = _golden(golden, margins)
        found["training"] = {
            "messages": messages.read(dataset / "train.parquet").height,
            "int8 MB": (made.path / "model.int8.onnx").stat().st_size / 1e6,
        }
        shutil.rmtree(package)
    return found


def write_judge_half(corpus: Path, seed: int, most: int) -> None:
    """Write the book's judging half in all languages beside a corpus; `most` messages, 0: all."""
    from components.prepare_corpus.book import book_messages
    from shield.book import Side

    table = book_messages(ModelType.SMS, Side.JUDGE, seed=seed)
    if most:
        table = table.sample(most, seed=seed)
    messages.write(table.sort("id"), corpus / "judge.parquet")


def judged(table: pl.DataFrame, margins: NDArray[np.float64]) -> dict[str, dict[str, float]]:
    """Return recall by language and false alarms by kind, at two points.

    Args:
        table: The judging half.
        margins: Of its messages, shape (n,); served verdicts turn at 0.
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


def _golden(golden: pl.DataFrame, margins: NDArray[np.float64]) -> dict[str, float]:
    scam = golden["label"].to_numpy() == 1
    return {
        "accuracy": float(np.mean((margins >= 0) == scam)),
        "recall": float(np.mean(margins[scam] >= 0)),
        "false alarms": float(np.mean(margins[~scam] >= 0)),
    }
