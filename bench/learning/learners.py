"""Three ways to keep up: not at all, the naive recipe, and ours; transformer and linear."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import logit

from bench.learning.lab import Lab, fit_rows, trained
from bench.learning.naive import NaiveLinear, NaiveTransformer
from components.evaluate import step as evaluate_step
from components.evaluate.scoring import compare
from components.shared import messages
from components.train.calibration import Calibration, held_back
from components.train.threshold import AIMED, MOST_MOVED
from shield.gates import BestEver, GateInput, GateLimits, decide
from shield.linear import LinearModel
from shield.metrics import budget_after, operating_threshold
from shield.packages import ModelPackage
from shield.predictor import Predictor

LIMITS = GateLimits(min_feedback=20)
"""The usual gates; a simulated month has fewer reports than a real one."""
EVERYTHING = 10**6


class Learner(Protocol):
    """A model and its way to learn from a month's feedback."""

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of the scam class for each text, shape (n,)."""

    def flagged(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """Return the verdicts users see, shape (n,)."""

    def learn(self, month: int, corrections: pl.DataFrame, seed: int) -> str:
        """Learn from the approved feedback of a month; return what became of it."""


@dataclass
class Linear:
    """The linear model: `way` is `static`, `naive` or `ours`."""

    way: str
    lab: Lab
    model: LinearModel
    threshold: float
    first_alarms: float
    naive: NaiveLinear | None = None
    best: BestEver | None = None

    @classmethod
    def start(cls, way: str, lab: Lab) -> "Linear":
        """Fit the first model on the base corpus."""
        model = fit_rows(lab.base["train"])
        naive = NaiveLinear(model) if way == "naive" else None
        ham = lab.base["valid"].filter(pl.col("label") == 0)["text"].to_list()
        threshold = operating_threshold(model.probabilities(ham), 0.01, None)
        alarms = float(np.mean(model.probabilities(ham) >= threshold))
        return cls(way, lab, model, threshold, alarms, naive)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """As in the protocol."""
        return (self.naive or self.model).probabilities(texts)

    def flagged(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """As in the protocol. The naive recipe has no threshold of its own: it takes one half."""
        limit = 0.5 if self.naive is not None else self.threshold
        return self.probabilities(texts) >= limit

    def learn(self, month: int, corrections: pl.DataFrame, seed: int) -> str:
        """As in the protocol. A linear model is fitted anew on all there is, replay included."""
        if self.naive is not None:
            self.naive.learn(corrections, seed)
            return "promote"
        if self.way == "static" or not corrections.height:
            return "static"
        self.lab.seal(corrections, month)
        dataset = self.lab.dataset(seed=seed, replay=EVERYTHING)
        challenger = fit_rows(messages.read(dataset / "train.parquet"))
        challenger, threshold = self._settled(challenger)
        given = self._evidence(dataset, challenger, threshold, corrections.height)
        outcome = decide(given.model_copy(update={"best": self.best}), LIMITS).outcome
        if outcome == "promote":
            self.model, self.threshold = challenger, threshold
            self.best = better(self.best, given)
        return outcome

    def _settled(self, challenger: LinearModel) -> tuple[LinearModel, float]:
        """Return the challenger and its threshold, set as the product's `train` sets it."""
        ham = self.lab.base["valid"].filter(pl.col("label") == 0)["text"].to_list()
        budget = budget_after(self.first_alarms, 0.01)
        highest = min(self.threshold + AIMED, 0.99)
        odds = logit(challenger.probabilities(ham).clip(1e-9, 1 - 1e-9))
        held = held_back(Calibration(1.0, 0.0), odds, budget, highest)
        model = replace(challenger, bias=challenger.bias + held.shift)
        return model, operating_threshold(
            model.probabilities(ham), budget, self.threshold, MOST_MOVED
        )

    def _evidence(
        self, dataset: Path, challenger: LinearModel, threshold: float, feedback: int
    ) -> GateInput:
        """Count what the gates look at."""

        def compared(name: str) -> object:
            table = messages.read(dataset / f"{name}.parquet")
            texts = table["text"].to_list()
            return compare(
                table["label"].to_numpy() == 1,
                challenger.probabilities(texts) >= threshold,
                self.model.probabilities(texts) >= self.threshold,
            )

        return GateInput.model_validate(
            {
                "model_type": self.lab.model_type,
                "champion": "before",
                "challenger": "now",
                "fresh_feedback": feedback,
                "golden_digest": "golden",
                "golden": compared("golden"),
                "corrections": compared("fresh"),
                "old_errors": compared("old_errors"),
                # One file serves: there is no second precision, and no frozen stream.
                "int8_compared": 1,
                "int8_flips": 0,
                "threshold": threshold,
                "champion_threshold": self.threshold,
            }
        )


def better(best: BestEver | None, given: GateInput) -> BestEver:
    """Return the better of the best ever and this challenger."""
    accuracy, fpr = given.golden.challenger.accuracy, given.golden.challenger.fpr
    now = BestEver(version="champion", accuracy=accuracy or 0.0, fpr=fpr or 0.0)
    return now if best is None or now.accuracy > best.accuracy else best


@dataclass
class Transformer:
    """The transformer, fine-tuned for real: `way` is `static`, `naive` or `ours`."""

    way: str
    lab: Lab
    package: Path
    predictor: Predictor
    naive: NaiveTransformer | None = None
    history: list[dict[str, object]] = field(default_factory=list)

    @classmethod
    def start(cls, way: str, lab: Lab) -> "Transformer":
        """Train the first model on the base corpus by the product's own step."""
        package = trained(lab.first_dataset(), None)
        naive = NaiveTransformer(package) if way == "naive" else None
        return cls(way, lab, package, Predictor(ModelPackage.open(package), threads=2), naive)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """As in the protocol."""
        return (self.naive or self.predictor).probabilities(texts)

    def flagged(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """As in the protocol. The naive recipe has no threshold of its own: it takes one half."""
        limit = 0.5 if self.naive is not None else self.predictor.threshold
        return self.probabilities(texts) >= limit

    def learn(self, month: int, corrections: pl.DataFrame, seed: int) -> str:
        """As in the protocol: build_dataset, train, evaluate, gate."""
        if self.naive is not None:
            self.naive.learn(corrections, seed)
            return "promote"
        if self.way == "static" or not corrections.height:
            return "static"
        self.lab.seal(corrections, month)
        dataset = self.lab.dataset(seed=seed)
        package = trained(dataset, self.package)
        folder = self.lab.folder
        (folder / "history.json").write_text(json.dumps(self.history))
        judged = evaluate_step.run(
            dataset,
            package,
            self.package,
            folder / "evaluations.json",
            folder / "report.html",
            history=folder / "history.json",
        )
        outcome = decide(judged.given, LIMITS).outcome
        if outcome == "promote":
            self.package = package
            self.predictor = Predictor(ModelPackage.open(package), threads=2)
            figures = judged.given.metrics
            self.history.append(
                {"version": f"v{month}", "goldenDigest": judged.given.golden_digest}
                | {name: figures[name] for name in ("goldenAccuracy", "goldenFpr")}
            )
        return outcome
