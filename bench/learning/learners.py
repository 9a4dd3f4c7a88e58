"""Three ways to keep up: not at all, the naive recipe, and ours; transformer and linear."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bench.learning.lab import Lab, fit_rows, trained
from bench.learning.naive import NaiveLinear, NaiveTransformer
from components.baseline import step as baseline_step
from components.evaluate import step as evaluate_step
from components.evaluate.scoring import compare
from components.shared import messages
from shield.gates import (
    Comparison,
    GateInput,
    GateLimits,
    GoldenRecord,
    decide,
    too_few_to_tell,
)
from shield.labels import FeedbackType
from shield.linear import LinearModel
from shield.logistic import logit, probability_of
from shield.packages import ModelPackage
from shield.predictor import OPERATING_POINT, Predictor

LIMITS = GateLimits(min_feedback=20)
"""The usual gates; a simulated month has fewer reports than a real one."""
EVERYTHING = 10**6
BUDGET = 0.01


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
    point: float
    """Margin from which it flags."""
    naive: NaiveLinear | None = None
    record: GoldenRecord | None = None
    limits: GateLimits = field(default_factory=lambda: LIMITS)

    @classmethod
    def start(cls, way: str, lab: Lab) -> "Linear":
        """Fit the first model on the base corpus."""
        model, point = placed(fit_rows(lab.base["train"]), lab)
        naive = NaiveLinear(model) if way == "naive" else None
        return cls(way, lab, model, point, naive)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """As in the protocol."""
        return (self.naive or self.model).probabilities(texts)

    def flagged(self, texts: Sequence[str]) -> NDArray[np.bool_]:
        """As in the protocol. The naive recipe has no threshold of its own: it takes one half."""
        limit = 0.5 if self.naive is not None else float(probability_of(np.array(self.point)))
        return self.probabilities(texts) >= limit

    def learn(self, month: int, corrections: pl.DataFrame, seed: int) -> str:
        """As in the protocol. The linear model goes on from its champion, shown all there is."""
        if self.naive is not None:
            self.naive.learn(corrections, seed)
            return "promote"
        if self.way == "static" or not corrections.height:
            return "static"
        self.lab.seal(corrections, month)
        dataset = self.lab.dataset(seed=seed, replay=EVERYTHING)
        train = messages.read(dataset / "train.parquet")
        challenger, point = placed(fit_rows(train, self.model), self.lab)
        given = self._evidence(dataset, challenger, point, corrections_in(corrections))
        outcome = decide(given.model_copy(update={"record": self.record}), self.limits).outcome
        if outcome == "promote":
            self.model, self.point = challenger, point
            self.record = recorded(self.record, given)
        return outcome

    def _evidence(
        self, dataset: Path, challenger: LinearModel, point: float, feedback: int
    ) -> GateInput:
        """Count what the gates look at."""

        def compared(name: str) -> Comparison:
            return judged(messages.read(dataset / f"{name}.parquet"))

        def judged(table: pl.DataFrame) -> Comparison:
            texts = table["text"].to_list()
            return compare(
                table["label"].to_numpy() == 1,
                challenger.margins(texts) >= point,
                self.model.margins(texts) >= self.point,
            )

        held_out, taught = compared("fresh"), messages.read(dataset / "train.parquet")
        taught = taught.filter(pl.col("source") == messages.OF_USERS)
        if not too_few_to_tell(held_out, self.limits):
            taught = taught.clear()
        return GateInput.model_validate(
            {
                "model_type": self.lab.model_type,
                "champion": "before",
                "challenger": "now",
                "fresh_feedback": feedback,
                "budget": BUDGET,
                "golden_digest": "golden",
                "golden": compared("golden"),
                "corrections": held_out,
                "taught": judged(taught),
                "old_errors": compared("old_errors"),
                # One file serves: there is no second precision, and no frozen stream.
                "int8_compared": 1,
                "int8_flips": 0,
            }
        )


def corrections_in(reports: pl.DataFrame) -> int:
    """Return how many of some reports are corrections, confirmations left out."""
    if "feedback_type" not in reports.columns:
        return reports.height
    return reports.filter(pl.col("feedback_type") != FeedbackType.CONFIRMED.value).height


def placed(model: LinearModel, lab: Lab) -> tuple[LinearModel, float]:
    """Return a linear model with its threshold, by the product's rule, and the margin that is."""
    frozen = [lab.base[name] for name in ("valid", "frozen_ham") if name in lab.base]
    ham = pl.concat(frozen).filter(pl.col("label") == 0)["text"].to_list()
    model = baseline_step.placed(model, ham, BUDGET)
    return model, logit(model.threshold)


def recorded(record: GoldenRecord | None, given: GateInput) -> GoldenRecord:
    """Return the record of the golden set with this challenger, which was promoted."""
    accuracy = given.golden.challenger.accuracy or 0.0
    if record is None:
        first = given.golden.champion.accuracy or 0.0
        record = GoldenRecord(
            versions=1, first="first", first_accuracy=first, best="first", best_accuracy=first
        )
    best = max(record.best_accuracy, accuracy)
    return record.model_copy(update={"versions": record.versions + 1, "best_accuracy": best})


@dataclass
class Transformer:
    """The transformer, fine-tuned for real: `way` is `static`, `naive` or `ours`."""

    way: str
    lab: Lab
    package: Path
    predictor: Predictor
    naive: NaiveTransformer | None = None
    history: list[dict[str, object]] = field(default_factory=list)
    limits: GateLimits = field(default_factory=lambda: LIMITS)

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
        limit = 0.5 if self.naive is not None else OPERATING_POINT
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
        outcome = decide(judged.gate_input, self.limits).outcome
        if outcome == "promote":
            self.package = package
            self.predictor = Predictor(ModelPackage.open(package), threads=2)
            figures = judged.gate_input.metrics
            self.history.append(
                {"version": f"v{month}", "goldenDigest": judged.gate_input.golden_digest}
                | {name: figures[name] for name in ("goldenAccuracy", "goldenFpr")}
            )
        return outcome
