"""What the phone's judge finds of scams, beside the server's, on messages that taught neither.

The phone's judge is made as `train` makes it, from the product's own corpus, and judged on the
book's judging half and the golden set by the same code as first models are
(`bench.learning.first_models`), whose figures stand in `bench/results/learning.json`.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.learning.first_models import (
    ALL,
    BUDGET,
    at_the_point,
    certainty,
    judged,
    write_judge_half,
)
from bench.outcome import Aim, Outcome, spread
from components.baseline import step as baseline_step
from components.prepare_corpus import step as prepare_step
from components.prepare_corpus.first import first_dataset
from components.shared import messages
from components.shared.base_model import MULTILINGUAL
from components.shared.environment import StepSettings
from components.shared.frozen import frozen
from components.train.phone import write_judge
from shield.device import CHARACTERS, DEVICE, WEIGHTS, DeviceManifest, DeviceModel
from shield.labels import Certainty, ModelType

SERVER = Path("bench/results/learning.json")


def run(folder: Path, *, seeds: tuple[int, ...], short: bool) -> Outcome:
    """Make a judge from each seed, and compare."""
    runs = [one(folder / str(seed), seed, short) for seed in seeds]
    server = _server()
    here = _mean(runs, "recall", ALL)
    there = server["recall"][ALL] if server else float("nan")
    golden = _mean(runs, "golden", "recall at the budget")
    unsure = _mean(runs, "certainty", "unsure, the golden set")
    wrong = _mean(runs, "certainty", "sure and wrong, the golden set")
    return Outcome(
        {
            "seeds": list(seeds),
            "runs": runs,
            "server": server,
            "recall by language": {
                code: spread([each["recall"][code] for each in runs]) for code in runs[0]["recall"]
            },
        },
        [
            Aim(
                "recall on the phone at 1 % false alarms, the book's judging half",
                "within 2 points of the server's",
                f"phone {here:.3f}, server {there:.3f}",
                here >= there - 0.02,
                "The server's is that of bench/results/learning.json (encoder and linear half). "
                f"On real messages both are close: of the golden set the phone finds {golden:.3f} "
                "at 1 %, and its accuracy is the server's. Templates that taught nobody, with "
                "their harmless twins, are where an encoder carries meaning over and n-grams do "
                "not. Teaching the linear half the encoder's verdicts was weighed (ADR 0044): the "
                "encoder repeats the labels of what teaches both, and there is no other text.",
            ),
            Aim(
                "unsure on the phone",
                "<= 10 % of traffic",
                f"{unsure:.1%} of the golden set (real messages); "
                f"{_mean(runs, 'certainty', 'unsure, the judging half'):.1%} of the judging "
                "half, which is made of look-alikes",
                unsure <= 0.10,
                f"Of sure verdicts on the golden set {wrong:.2%} are wrong, on the judging half "
                f"{_mean(runs, 'certainty', 'sure and wrong, the judging half'):.1%}.",
            ),
        ],
    )


def one(work: Path, seed: int, short: bool) -> dict[str, Any]:
    """Make one judge and say what it finds."""
    corpus, dataset, model = (work / part for part in ("corpus", "dataset", "model"))
    model.mkdir(parents=True)
    # As the server's figures were measured: the base that is taught in all languages of the book.
    settings = StepSettings(base_model=Path(MULTILINGUAL), api_url=None)
    most = 600 if short else 0
    prepare_step.run(
        corpus, model_type=ModelType.SMS, settings=settings, seed=seed, most_messages=most
    )
    write_judge_half(corpus, ModelType.SMS, seed, most)
    first_dataset(corpus, dataset)
    fitted = baseline_step.run(dataset, dataset / "linear", seed=seed)
    write_judge(fitted, ModelType.SMS, frozen(dataset), BUDGET, model)
    judge = DeviceManifest.from_bytes((model / DEVICE).read_bytes(), DEVICE).model(
        (model / WEIGHTS).read_bytes(), WEIGHTS
    )
    half, golden = (messages.read(dataset / f"{part}.parquet") for part in ("judge", "golden"))
    margins = judge.margins(half["text"].to_list())
    figures: dict[str, Any] = judged(half, margins, _sure(judge, margins))
    real, scam = judge.margins(golden["text"].to_list()), golden["label"].to_numpy() == 1
    figures["golden"] = at_the_point(scam, real)
    figures["certainty"] |= certainty(scam, real, _sure(judge, real), "the golden set")
    files = [(model / name).read_bytes() for name in (DEVICE, WEIGHTS, CHARACTERS)]
    figures["bytes over the wire"] = sum(len(gzip.compress(raw)) for raw in files)
    figures["a byte a weight"] = {
        "largest difference of a margin": float(
            np.abs(
                judge.operating.scale
                * (judge.log_odds(half["text"].to_list()) - fitted.margins(half["text"].to_list()))
            ).max()
        ),
        "messages": half.height,
    }
    return figures


def _mean(runs: list[dict[str, Any]], what: str, key: str) -> float:
    return float(np.mean([each[what][key] for each in runs]))


def _sure(judge: DeviceModel, margins: NDArray[np.float64]) -> NDArray[np.bool_]:
    return np.array([judge.certainty(each) is Certainty.SURE for each in margins], dtype=np.bool_)


def _server() -> dict[str, Any] | None:
    """Return the means of first models as they were last measured."""
    found = json.loads(SERVER.read_text())["figures"].get("book")
    if found is None:
        return None
    mean = found["mean"]["multilingual"]
    return {
        "recall": {code: each["mean"] for code, each in mean["recall"].items()},
        "golden": {name: each["mean"] for name, each in mean["golden"].items()},
        "seeds": found["seeds"],
    }
