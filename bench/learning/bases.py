"""What a verdict costs by base model: size of the served file, and processor time per message.

Fresh heads serve as well as trained ones here: the time does not depend on the weights. Both
models answer every message by turns, so that what else the machine does disturbs both alike.
"""

import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bench.learning.lab import WORK
from bench.outcome import Aim, Outcome, Scale
from components.prepare_corpus.book import book_messages
from components.prepare_corpus.reading import read_corpus
from components.shared.base_model import MINILM, MULTILINGUAL, TOKENIZER, base_directory
from components.shared.encoder import load_classifier
from components.shared.environment import StepSettings
from components.train.export import export_package
from components.train.first_token import read_first_token_only
from shield.book import Side
from shield.labels import ModelType
from shield.packages import Manifest, ModelPackage, Preprocessing, pack
from shield.packages.manifest import INT8_MODEL
from shield.predictor import Predictor

MOST_MB, MOST_RATIO = 50, 1.3
RULES = Preprocessing(max_tokens=128, window_overlap=31)


def run(scale: Scale) -> Outcome:
    """Export both bases and let them answer by turns."""
    WORK.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=WORK) as folder:
        served = {base: _exported(base, Path(folder) / base) for base in (MULTILINGUAL, MINILM)}
        size = {
            base: round((package.path / INT8_MODEL).stat().st_size / 1e6, 1)
            for base, package in served.items()
        }
        predictors = {base: Predictor(package) for base, package in served.items()}
        times = {
            name: _milliseconds(predictors, texts[: scale.pick(100, 20)])
            for name, texts in _messages().items()
        }
    ratio = {
        name: round(of[MULTILINGUAL]["mean"] / of[MINILM]["mean"], 2) for name, of in times.items()
    }
    worst = max(ratio, key=lambda name: ratio[name])
    return Outcome(
        {"int8_mb": size, "processor_ms": times, "ratio": ratio},
        [
            Aim(
                "multilingual base: size of the served int8 model",
                f"<= {MOST_MB} MB",
                f"{size[MULTILINGUAL]} MB (MiniLM {size[MINILM]})",
                size[MULTILINGUAL] <= MOST_MB,
            ),
            Aim(
                "multilingual base: processor time per message, times MiniLM's",
                f"<= {MOST_RATIO} in every language",
                f"{ratio[worst]} at most ({worst}); "
                + ", ".join(f"{name} {value}" for name, value in ratio.items()),
                ratio[worst] <= MOST_RATIO,
            ),
        ],
    )


def _exported(base: str, folder: Path) -> ModelPackage:
    start = base_directory(StepSettings(base_model=Path(base)))
    torch.manual_seed(0)
    classifier = load_classifier(start)
    read_first_token_only(classifier)  # as `train` does
    export_package(
        classifier,
        start / TOKENIZER,
        folder,
        max_tokens=RULES.max_tokens,
        sample_texts=["See you at seven."],
    )
    return pack(folder, Manifest(model_type=ModelType.SMS, preprocessing=RULES))


def _messages() -> dict[str, list[str]]:
    taught = book_messages(ModelType.SMS, Side.TEACH)
    by_language = {
        str(code): table["text"].to_list()
        for (code,), table in taught.group_by("language", maintain_order=True)
    }
    return {"UCI": read_corpus(ModelType.SMS, StepSettings())["text"].to_list(), **by_language}


def _milliseconds(
    predictors: dict[str, Predictor], texts: list[str]
) -> dict[str, dict[str, float]]:
    taken: dict[str, list[float]] = {base: [] for base in predictors}
    for text in texts:
        for base, predictor in predictors.items():
            started = time.process_time()
            predictor.margins([text])
            taken[base].append(1000 * (time.process_time() - started))
    found: dict[str, Any] = {
        base: {"mean": round(float(np.mean(each)), 2), "median": round(float(np.median(each)), 2)}
        for base, each in taken.items()
    }
    return found
