"""What the phone's judge finds of scams, beside the server's, on messages that taught neither.

The phone's judge is made as `train` makes it, from the product's own corpus, and judged on the
book's judging half and the golden set by the same code as first models are (`bench.learning.book`),
whose figures stand in `bench/results/learning.json`.
"""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.learning.book import ALL, judged, write_judge_half
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
BUDGET = 0.01


def run(folder: Path, *, seeds: tuple[int, ...], short: bool) -> Outcome:
    """Make a judge from each seed, and compare."""
    runs = [one(folder / str(seed), seed, short) for seed in seeds]
    server = _server()
    here = float(np.mean([each["recall"][ALL] for each in runs]))
    there = server["recall"][ALL] if server else float("nan")
    golden = float(np.mean([each["golden"]["recall at the budget"] for each in runs]))
    unsure = float(np.mean([each["unsure"]["everyday messages and scams"] for each in runs]))
    wrong = float(np.mean([each["sure and wrong"]["golden set"] for each in runs]))
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
                "not. Not tried: to teach the linear half the encoder's verdicts.",
            ),
            Aim(
                "unsure on the phone",
                "<= 10 % of traffic",
                f"{unsure:.1%} of the golden set (real messages); "
                f"{np.mean([each['unsure']['judging half'] for each in runs]):.1%} of the judging "
                "half, which is made of look-alikes",
                unsure <= 0.10,
                f"Of sure verdicts on the golden set {wrong:.2%} are wrong, on the judging half "
                f"{np.mean([each['sure and wrong']['judging half'] for each in runs]):.1%}.",
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
    write_judge_half(corpus, seed, most)
    first_dataset(corpus, dataset)
    fitted = baseline_step.run(dataset, dataset / "linear", seed=seed)
    write_judge(fitted, ModelType.SMS, frozen(dataset), BUDGET, model)
    judge = DeviceManifest.from_bytes((model / DEVICE).read_bytes(), DEVICE).model(
        (model / WEIGHTS).read_bytes(), WEIGHTS
    )
    half, golden = (messages.read(dataset / f"{part}.parquet") for part in ("judge", "golden"))
    margins = judge.margins(half["text"].to_list())
    found: dict[str, Any] = judged(half, margins)
    real = judge.margins(golden["text"].to_list())
    scam = golden["label"].to_numpy() == 1
    point = float(np.quantile(real[~scam], 1 - BUDGET, method="higher"))
    found["golden"] = {
        "accuracy": float(np.mean((real >= 0) == scam)),
        "recall": float(np.mean(real[scam] >= 0)),
        "false alarms": float(np.mean(real[~scam] >= 0)),
        "recall at the budget": float(np.mean(real[scam] > point)),
    }
    found["unsure"] = {
        "everyday messages and scams": _unsure(judge, real),
        "judging half": _unsure(judge, margins),
    }
    found["sure and wrong"] = {
        "golden set": _wrong(judge, real, scam),
        "judging half": _wrong(judge, margins, half["label"].to_numpy() == 1),
    }
    files = [(model / name).read_bytes() for name in (DEVICE, WEIGHTS, CHARACTERS)]
    found["bytes over the wire"] = sum(len(gzip.compress(raw)) for raw in files)
    found["a byte a weight"] = {
        "largest difference of a margin": float(
            np.abs(
                judge.operating.scale
                * (judge.log_odds(half["text"].to_list()) - fitted.margins(half["text"].to_list()))
            ).max()
        ),
        "messages": half.height,
    }
    return found


def _unsure(judge: DeviceModel, margins: NDArray[np.float64]) -> float:
    return float(np.mean([judge.certainty(each) is Certainty.UNSURE for each in margins]))


def _wrong(judge: DeviceModel, margins: NDArray[np.float64], scam: NDArray[np.bool_]) -> float:
    sure = np.array([judge.certainty(each) is Certainty.SURE for each in margins])
    return float(np.mean((margins[sure] >= 0) != scam[sure])) if sure.any() else 0.0


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
