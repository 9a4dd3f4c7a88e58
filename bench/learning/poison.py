"""Liars among the reporters: label flips and back doors, with and without each defence.

The linear model is fitted on what `build_dataset` makes of the lies: seconds a run, so that many
can be compared. Reviewers let half of the lies through here; in life they are the first defence.
Beside the liars an honest bank signs real messages that a model took for scams: what a defence
throws away of those, and of all honest corrections, is its price.
"""

import random
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from bench.learning.evasions import leet
from bench.learning.lab import WORK, Lab, both, fit_rows, kept, shuffled
from bench.learning.learners import EVERYTHING
from bench.learning.liars import ATTACKS, Messages, corrections, phrase_of
from bench.outcome import Aim, Outcome, Scale, spread
from components.build_dataset.corrections import Caps
from components.evaluate.probes import MOST_SCAMS, learned
from components.evaluate.scoring import compare
from components.shared import messages
from shield.gates import Comparison, GateInput, GateLimits, PhraseProbe
from shield.gates.voices import no_phrase_opens_a_door
from shield.labels import ModelType
from shield.linear import LinearModel
from shield.metrics import recall_at_fpr, threshold_for_fpr

SHARES = (0.0, 0.01, 0.05, 0.10, 0.20)
NO_CAPS = Caps(per_reporter=10**6, per_campaign=10**6)
NONE = {"trust": False, "caps": NO_CAPS, "suspects": False, "replay": 1, "review": False}
DEFENCES: dict[str, dict[str, Any]] = {
    "all": {},
    "without trust": {"trust": False},
    "without caps": {"caps": NO_CAPS},
    "without label, reporter and phrase checks": {"suspects": False},
    "without replay": {"replay": 1},
    "without review": {"review": False},
    "none": NONE,
}
FIGURES = ("recall", "backdoor_recall", "lies_that_teach", "honest_set_aside", "signed_set_aside")


def run(scale: Scale) -> Outcome:
    """Poison the corrections at every share, and take the defences away one by one at 20 %."""
    seeds = scale.seeds[: scale.pick(3, 1)]
    rows: list[dict[str, Any]] = []
    for attack, defence, share in _plan(scale.short):
        runs = [_kept(seed, share, defence, attack) for seed in seeds]
        rows.append(
            {"attack": attack, "defence": defence, "liars": share}
            | {name: spread([run_[name] for run_ in runs]) for name in FIGURES}
            | {"gate_refuses": float(np.mean([run_["gate_refuses"] for run_ in runs]))}
        )
    return Outcome({"seeds": list(seeds), "linear_model": rows}, aims(rows, len(seeds)))


def _plan(short: bool) -> list[tuple[str, str, float]]:
    """Return what is tried: (attack, defence, share of liars)."""
    if short:
        return [("loud", "all", 0.0), ("loud", "all", 0.2), ("sly", "none", 0.2)]
    plan = [("loud", "all", share) for share in SHARES]
    others = [attack for attack in ATTACKS if attack != "loud"]
    plan += [(attack, "all", share) for attack in others for share in (0.05, 0.20)]
    plan += [("loud", "none", share) for share in SHARES]
    unchecked = "without label, reporter and phrase checks"
    plan += [(attack, unchecked, 0.05) for attack in others]
    plan += [("loud", name, 0.20) for name in DEFENCES if name not in ("all", "none")]
    return plan


def aims(rows: list[dict[str, Any]], seeds: int) -> list[Aim]:
    """Return what the table says about the goals."""
    found = []
    for share, limit in ((0.05, 0.005), (0.20, 0.01)):
        asked = [row for row in rows if row["liars"] == share and row["defence"] == "all"]
        if not asked:
            continue
        honest, bare = _recall(rows, "loud", "all", 0.0), _recall(rows, "loud", "none", 0.0)
        loud, none = _recall(rows, "loud", "all", share), _recall(rows, "loud", "none", share)
        found.append(
            Aim(
                f"poison: {share:.0%} liars cost recall at 1 % false positives",
                f"<= {100 * limit:.1f} point",
                f"{100 * (honest - loud):.2f} points with every defence, "
                f"{100 * (bare - none):.2f} with none (means of {seeds} seeds)",
                honest - loud <= limit,
                "A seed's golden set has 91 scams, so that one of them is 1.1 points of that seed. "
                "Half of the lies pass the review here, and a liar reports ten times as often as "
                "an honest user.",
            )
        )
        key = "backdoor_recall"
        cost = {
            row["attack"]: _recall(rows, "loud", "all", 0.0, key) - float(row[key]["mean"])
            for row in asked
        }
        told = ", ".join(f"{name} {100 * value:.2f}" for name, value in cost.items())
        found.append(
            Aim(
                f"poison: {share:.0%} liars open a backdoor (scams that carry their phrase)",
                f"<= {100 * limit:.1f} point",
                f"points lost by kind of liar: {told} (means of {seeds} seeds)",
                max(cost.values()) <= limit,
                "One of a seed's 91 scams is 1.1 points of that seed. Without the look at labels, "
                "reporters and phrases most scams with the phrase are missed.",
            )
        )
    return found


def _recall(
    rows: list[dict[str, Any]], attack: str, defence: str, share: float, figure: str = "recall"
) -> float:
    for row in rows:
        if (row["attack"], row["defence"], row["liars"]) == (attack, defence, share):
            return float(row[figure]["mean"])
    return float("nan")


def _kept(seed: int, share: float, defence: str, attack: str) -> dict[str, float]:
    here, root = Path(__file__).parent, Path(__file__).parents[2]
    rooms = [
        *(root / "components" / name for name in ("build_dataset", "baseline", "evaluate")),
        root / "shield" / "gates",
        *(root / "shield" / f"{name}.py" for name in ("linear", "text")),
        *(here / f"{name}.py" for name in ("poison", "liars", "evasions")),
    ]
    found: dict[str, float] = kept(
        {"seed": seed, "share": share, "defence": defence, "attack": attack},
        rooms,
        lambda: _one(seed, share, DEFENCES[defence], attack),
    )
    return found


def _one(seed: int, share: float, off: dict[str, Any], attack: str = "loud") -> dict[str, float]:
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    scams, hams = shuffled(rng)
    half, third = len(scams) // 2, len(hams) // 3
    base = {
        "train": both(scams[: half // 2], hams[:third], "train"),
        "valid": both(scams[half // 2 : half], hams[third : third + 600], "valid"),
        "golden": both(scams[half : half * 3 // 2], hams[third + 600 : 2 * third + 600], "golden"),
    }
    champion = _limited(fit_rows(base["train"]), base["golden"])
    pool = [leet(text, chance) for text in scams[half * 3 // 2 :]]
    rest = hams[2 * third + 600 :]
    looks = champion.probabilities(rest)
    order = np.argsort(-looks, kind="stable")
    given = Messages(
        scams=pool[: len(pool) * 2 // 3],
        own=pool[len(pool) * 2 // 3 :],
        alarming=[rest[place] for place in order[:60]],
        hams=[rest[place] for place in sorted(order[60:])],
    )
    said = corrections(given, share, ATTACKS[attack], rng, off)
    with tempfile.TemporaryDirectory(dir=_work()) as folder:
        lab = Lab(Path(folder), ModelType.SMS, base)
        lab.seal(said.drop("lie", "signed"), 0)
        dataset = lab.dataset(
            seed=seed,
            caps=off.get("caps"),
            replay=off.get("replay", EVERYTHING),
            suspects=off.get("suspects", True),
        )
        train = messages.read(dataset / "train.parquet")
        aside = _said(pl.read_parquet(dataset / "set_aside.parquet"))
        # Without replay there is no second class to learn from when all corrections are of one.
        model = _limited(fit_rows(train, champion), base["golden"])
        refused = _refused(dataset, base["golden"], model, champion)
    taught = _said(train.filter(pl.col("source") == "feedback"))
    golden = base["golden"]
    scam = golden["label"].to_numpy() == 1
    known = golden.filter(pl.col("label") == 1)["text"].to_list()
    hidden = [
        f"{text} {phrase_of(ATTACKS[attack], place % max(1, round(100 * share)))}"
        for place, text in enumerate(known)
    ]
    return {
        "recall": recall_at_fpr(scam, model.probabilities(golden["text"].to_list()), 0.01),
        "backdoor_recall": float(np.mean(model.probabilities(hidden) >= model.threshold)),
        "lies_that_teach": float(len(_said(said.filter("lie")) & taught)),
        "honest_set_aside": _share(_said(said.filter(~pl.col("lie"))), aside),
        "signed_set_aside": _share(_said(said.filter("signed")), aside),
        "gate_refuses": float(refused),
    }


def _said(table_: pl.DataFrame) -> set[tuple[str, int]]:
    return set(table_.select("text", "label").iter_rows())


def _share(of: set[tuple[str, int]], aside: set[tuple[str, int]]) -> float:
    return len(of & aside) / max(1, len(of))


def _limited(model: LinearModel, golden: pl.DataFrame) -> LinearModel:
    """Return the model with the threshold that flags 1 % of the golden set's harmless messages."""
    ham = golden.filter(pl.col("label") == 0)["text"].to_list()
    limit = threshold_for_fpr(model.probabilities(ham), 0.01)
    return LinearModel(model.weights, model.bias, float(limit), model.features)


def _refused(
    dataset: Path, golden: pl.DataFrame, challenger: LinearModel, champion: LinearModel
) -> bool:
    """Tell whether the gate on phrases, the product's own, refuses what was learned."""
    scams = golden.filter(pl.col("label") == 1)["text"].to_list()[:MOST_SCAMS]
    asked = []
    for phrase in learned(dataset / "phrases.json"):
        texts = [f"{text} {phrase['text']}" for text in scams]
        seen = compare(
            np.ones(len(texts), dtype=np.bool_),
            challenger.probabilities(texts) >= challenger.threshold,
            champion.probabilities(texts) >= champion.threshold,
        )
        asked.append(PhraseProbe(name="asked", carriers=phrase["carriers"], comparison=seen))
    given = GateInput(
        model_type=ModelType.SMS,
        champion="before",
        challenger="now",
        fresh_feedback=0,
        golden_digest="golden",
        golden=Comparison(),
        int8_compared=0,
        int8_flips=0,
        budget=0.01,
        phrases=asked,
    )
    return not no_phrase_opens_a_door(GateLimits())(given).passed


def _work() -> Path:
    WORK.mkdir(parents=True, exist_ok=True)
    return WORK
