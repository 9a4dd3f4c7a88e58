"""Flat figures for the registry and the dashboard."""

import numpy as np
from numpy.typing import NDArray

from components.evaluate.scoring import Models, Verdicts
from shield.metrics import (
    Counts,
    area_under_roc,
    brier_score,
    count,
    expected_calibration_error,
    mcnemar_p_value,
    paired_bootstrap,
    recall_at_fpr,
)
from shield.predictor import Predictor

CAMEL = {
    "golden": "golden",
    "time_forward": "timeForward",
    "fresh": "fresh",
    "old_errors": "oldErrors",
    "judge": "judge",
}
"""Set -> prefix of its figures."""

_MODELS = {"Champion": ", champion", "Baseline": ", linear baseline"}
_IN_WORDS = {
    "Fpr": "false-positive rate",
    "F1": "F1",
    "Size": "messages",
    "Positives": "scams",
    "Auc": "area under the ROC curve",
    "Ece": "calibration error",
    "Brier": "Brier score",
    "RecallAtBudget": "recall within the budget",
    "McnemarP": "McNemar's p",
    "Gain": "accuracy gained",
    "GainLow": "accuracy gained, at least (95 %)",
    "GainHigh": "accuracy gained, at most (95 %)",
    "RecallGain": "recall gained",
    "RecallGainLow": "recall gained, at least (95 %)",
    "RecallGainHigh": "recall gained, at most (95 %)",
    "Alone": "answered by the linear half alone",
    "AloneLost": "scams that the linear half alone would lose",
    "AloneFlagged": "harmless messages that the linear half alone would flag",
}
_RATES = ("recall", "precision", "fpr", "accuracy", "f1")


def flat(
    judged: dict[str, Verdicts], models: Models, fpr_budget: float, rng: np.random.Generator
) -> dict[str, float]:
    """Return every defined figure under its camelCase name, e.g. `goldenRecall`.

    Undefined ones (recall of a set without scams) are left out, never zero.
    """
    figures: dict[str, float] = {"budget": fpr_budget}
    for name, part in judged.items():
        prefix = CAMEL[name]
        figures |= _rates(prefix, count(part.scam, part.challenger))
        figures[f"{prefix}Size"] = float(part.scam.size)
        if part.champion is not None:
            figures |= _rates(f"{prefix}Champion", count(part.scam, part.champion))
        if part.scored.baseline is not None and models.baseline is not None:
            flagged = part.scored.baseline >= models.baseline.threshold
            figures |= _rates(f"{prefix}Baseline", count(part.scam, flagged))
        figures |= _alone(prefix, part, models.challenger)
    return figures | _golden(judged["golden"], fpr_budget, rng)


def in_words(name: str) -> str:
    """Return a figure's name as the dashboard shows it: "golden: recall, champion"."""
    for part, prefix in CAMEL.items():
        if name.startswith(prefix):
            rest, whose = name.removeprefix(prefix), ""
            for model, told in _MODELS.items():
                if rest.startswith(model):
                    rest, whose = rest.removeprefix(model), told
            return f"{part.replace('_', ' ')}: {_IN_WORDS.get(rest, rest.lower())}{whose}"
    return {"budget": "budget: harmless messages that may be flagged"}.get(name, name)


def _alone(prefix: str, part: Verdicts, challenger: Predictor) -> dict[str, float]:
    """Return the share answered by the linear half alone, and what that would change.

    Scams that would be lost and harmless messages that would be flagged: shares of their class.
    """
    if challenger.package.manifest.cascade is None or not part.scam.size:
        return {}
    margins = challenger.alone(part.scored.judged.texts)
    lost = part.scam & part.challenger & (margins < 0)
    flagged = ~part.scam & ~part.challenger & (margins >= 0)
    shares = {f"{prefix}Alone": float(np.mean(~np.isnan(margins)))}
    if part.scam.any():
        shares[f"{prefix}AloneLost"] = float(lost.sum() / part.scam.sum())
    if not part.scam.all():
        shares[f"{prefix}AloneFlagged"] = float(flagged.sum() / (~part.scam).sum())
    return shares


def _rates(prefix: str, counts: Counts) -> dict[str, float]:
    named = {f"{prefix}{rate.capitalize()}": getattr(counts, rate) for rate in _RATES}
    return {name: value for name, value in named.items() if value is not None}


def _golden(golden: Verdicts, fpr_budget: float, rng: np.random.Generator) -> dict[str, float]:
    scores, scam = golden.scored.challenger, golden.scam
    golden_figures = {
        "goldenEce": expected_calibration_error(scam, scores),
        "goldenBrier": brier_score(scam, scores),
    }
    for name, of in (
        ("golden", scores),
        ("goldenChampion", golden.scored.champion),
        ("goldenBaseline", golden.scored.baseline),
    ):
        if of is not None and _both_classes(scam):
            golden_figures[f"{name}Auc"] = area_under_roc(scam, of)
            golden_figures[f"{name}RecallAtBudget"] = recall_at_fpr(scam, of, fpr_budget)
    golden_figures["goldenPositives"] = float(np.sum(scam))
    if golden.champion is not None:
        before, now = golden.champion == scam, golden.challenger == scam
        golden_figures["goldenMcnemarP"] = mcnemar_p_value(before, now)
        everything = np.ones(scam.size, dtype=np.bool_)
        for name, here in (("goldenGain", everything), ("goldenRecallGain", scam)):
            if here.any():
                golden_figures |= _gain(
                    name, before[here], now[here], _campaigns(golden, here), rng
                )
    return golden_figures


def _gain(
    name: str,
    before: NDArray[np.bool_],
    now: NDArray[np.bool_],
    campaigns: NDArray[np.int64] | None,
    rng: np.random.Generator,
) -> dict[str, float]:
    """Return the share of right verdicts won, with its 95 % interval over whole campaigns."""
    gain = paired_bootstrap(
        before.astype(np.float64), now.astype(np.float64), rng, groups=campaigns
    )
    return {name: gain.estimate, f"{name}Low": gain.low, f"{name}High": gain.high}


def _campaigns(part: Verdicts, here: NDArray[np.bool_]) -> NDArray[np.int64] | None:
    """Number the campaigns; a message without one is a campaign of its own."""
    table = part.scored.judged.table
    if "campaign" not in table.columns:
        return None
    names = [
        campaign or f"alone {row}"
        for row, campaign in enumerate(table["campaign"].fill_null("").to_list())
    ]
    return np.unique(names, return_inverse=True)[1].astype(np.int64)[here]


def _both_classes(scam: NDArray[np.bool_]) -> bool:
    return bool(scam.any() and not scam.all())


def baseline_wins(judged: dict[str, Verdicts], models: Models, fpr_budget: float) -> str:
    """Return a sentence where the linear baseline is at least as good on golden; else an empty one.

    Compared by recall within the same false-positive budget, so that no threshold flatters either.
    """
    golden = judged["golden"]
    linear = golden.scored.baseline
    if linear is None or models.baseline is None or not _both_classes(golden.scam):
        return ""
    ours = recall_at_fpr(golden.scam, golden.scored.challenger, fpr_budget)
    theirs = recall_at_fpr(golden.scam, linear, fpr_budget)
    if ours > theirs:
        return ""
    return (
        f"The linear baseline finds {theirs:.1%} of golden scams at {fpr_budget:.0%} false "
        f"positives, the transformer {ours:.1%}: it does not pay for its size here."
    )
