"""Scores of both models on every judged set, and the counts that the gates read."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from components.evaluate.sets import JudgedSet
from components.evaluate.slices import judge_slices_of, slices_of
from components.shared.progress import Progress
from shield.errors import PackageInvalid
from shield.gates import Comparison, GroupShare, Slice
from shield.linear import LinearModel
from shield.logistic import probability_of
from shield.metrics import disagreements, operating_point
from shield.packages.manifest import MANIFEST
from shield.packages.package import ModelPackage
from shield.predictor import OPERATING_POINT, Predictor

THREADS = 2
_PART = 256
"""Messages that are scored between two looks at the progress."""


class Scorer(Protocol):
    """Anything that gives texts a probability."""

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of the scam class for each text, shape (n,)."""


@dataclass(frozen=True)
class Scored:
    """One set and what each model says of it; shape (n,) each."""

    judged: JudgedSet
    challenger: NDArray[np.float64]
    champion: NDArray[np.float64] | None
    baseline: NDArray[np.float64] | None


@dataclass(frozen=True)
class AtBudget:
    """A champion, moved to where the rule for every challenger puts it.

    It may have been released under another rule, another budget, or on other frozen messages: two
    versions can only be compared at the same budget.
    """

    predictor: Predictor
    point: float
    """Margin from which it flags; 0 is where it serves."""

    @classmethod
    def put(cls, predictor: Predictor, hams: Sequence[str], budget: float) -> "AtBudget":
        """Put a champion at its operating point on these harmless messages; none: as it serves."""
        margins = predictor.margins(hams)
        return cls(predictor, operating_point(margins, budget) if margins.size else 0.0)

    def probabilities(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Return the probability of the scam class, measured from that point, shape (n,)."""
        return probability_of(self.predictor.margins(texts) - self.point)


@dataclass(frozen=True)
class Models:
    """The models that are judged."""

    challenger: Predictor
    """As it would serve."""
    challenger_fp32: Predictor
    champion: AtBudget | None
    baseline: LinearModel | None

    @classmethod
    def load(
        cls,
        challenger: Path,
        champion: Path | None,
        baseline: Path | None,
        hams: Sequence[str],
        budget: float,
    ) -> "Models":
        """Load the packages; a champion directory without manifest means that there is none.

        Args:
            challenger: Package directory.
            champion: Package directory, or None.
            baseline: File of the linear model, or None.
            hams: Frozen harmless messages that operating points are set on.
            budget: Share of harmless messages that may be flagged.

        Raises:
            PackageInvalid: A package or the baseline cannot be loaded.
            PackageCorrupt: A file's bytes are not those its manifest names.
        """
        served = ModelPackage.open(challenger)
        has_champion = champion is not None and (champion / MANIFEST).is_file()
        has_baseline = baseline is not None and baseline.is_file() and baseline.stat().st_size > 0
        return cls(
            challenger=Predictor(served, "int8", THREADS),
            challenger_fp32=Predictor(served, "fp32", THREADS),
            champion=AtBudget.put(
                Predictor(ModelPackage.open(champion), "int8", THREADS), hams, budget
            )
            if has_champion and champion is not None
            else None,
            baseline=LinearModel.load(baseline) if has_baseline and baseline is not None else None,
        )


def score(
    scorer: Scorer,
    name: str,
    texts: Sequence[str],
    scored: Callable[[int], None] = lambda messages: None,
) -> NDArray[np.float64]:
    """Score each text once, however often it occurs.

    Args:
        scorer: Scores.
        name: What the scorer is called in an error.
        texts: Texts, shape (n,).
        scored: Called with the number of messages after each part of them.

    Raises:
        PackageInvalid: A score is not a number.
    """
    once = list(dict.fromkeys(texts))
    scores = dict[str, float]()
    for start in range(0, len(once), _PART):
        part = once[start : start + _PART]
        scores |= dict(zip(part, scorer.probabilities(part), strict=True))
        scored(len(part))
    probabilities = np.array([scores[text] for text in texts], dtype=np.float64)
    bad = int(np.sum(~np.isfinite(probabilities)))
    if bad:
        raise PackageInvalid(
            f"The {name} gives no number for {bad} of {probabilities.size} messages (NaN): its "
            "training has diverged, or its export is broken. Train again with a lower learning "
            "rate."
        )
    return probabilities


def score_sets(models: Models, sets: dict[str, JudgedSet]) -> dict[str, Scored]:
    """Score every set by every model, and tell how far that is."""
    encoders = 1 if models.champion is None else 2
    messages = encoders * sum(len(set(judged.texts)) for judged in sets.values())
    scored = Progress("evaluate", messages, "messages" if encoders == 1 else "scores").add
    return {
        name: Scored(
            judged,
            score(models.challenger, "challenger", judged.texts, scored),
            None
            if models.champion is None
            else score(models.champion, "champion", judged.texts, scored),
            None
            if models.baseline is None
            else score(models.baseline, "linear baseline", judged.texts),
        )
        for name, judged in sets.items()
    }


def compare(
    scam: NDArray[np.bool_],
    challenger: NDArray[np.bool_],
    champion: NDArray[np.bool_] | None,
) -> Comparison:
    """Count the verdicts of both models on the same messages, all of shape (n,)."""
    if champion is None:
        champion = challenger  # no disagreement: the gates are told that there is no champion
    return Comparison(
        tp=int(np.sum(scam & challenger)),
        fn=int(np.sum(scam & ~challenger)),
        fp=int(np.sum(~scam & challenger)),
        tn=int(np.sum(~scam & ~challenger)),
        scams_lost=int(np.sum(scam & champion & ~challenger)),
        scams_won=int(np.sum(scam & ~champion & challenger)),
        hams_lost=int(np.sum(~scam & ~champion & challenger)),
        hams_won=int(np.sum(~scam & champion & ~challenger)),
    )


@dataclass(frozen=True)
class Verdicts:
    """One set as booleans, shape (n,) each."""

    scored: Scored
    challenger: NDArray[np.bool_]
    champion: NDArray[np.bool_] | None

    @property
    def scam(self) -> NDArray[np.bool_]:
        """The truth."""
        return self.scored.judged.scam

    def comparison(self, mask: NDArray[np.bool_] | None = None) -> Comparison:
        """Count over all messages, or over those where `mask` is true."""
        here = np.ones(self.scam.size, dtype=np.bool_) if mask is None else mask
        champion = None if self.champion is None else self.champion[here]
        return compare(self.scam[here], self.challenger[here], champion)


def verdicts(scored: Scored) -> Verdicts:
    """Turn scores into verdicts, both models at the same budget."""
    champion = None if scored.champion is None else scored.champion >= OPERATING_POINT
    return Verdicts(scored, scored.challenger >= OPERATING_POINT, champion)


def slices(judged: Sequence[Verdicts]) -> list[Slice]:
    """Count each kind of message over several sets together."""
    sums: dict[tuple[str, str], Comparison] = {}
    for part in judged:
        for dimension, value, mask in slices_of(part.scored.judged.table):
            key, more = (dimension, value), part.comparison(mask)
            sums[key] = _sum(sums[key], more) if key in sums else more
    return [
        Slice(dimension=dimension, value=value, comparison=comparison)
        for (dimension, value), comparison in sorted(sums.items())
    ]


def judge_slices(judge: Verdicts) -> list[Slice]:
    """Count each kind of message of the set `judge`."""
    return [
        Slice(dimension=dimension, value=value, comparison=judge.comparison(mask))
        for dimension, value, mask in judge_slices_of(judge.scored.judged.table)
    ]


def _sum(one: Comparison, two: Comparison) -> Comparison:
    mine, theirs = one.model_dump(), two.model_dump()
    return Comparison(**{name: mine[name] + theirs[name] for name in mine})


def groups(corrections: Verdicts) -> list[GroupShare]:
    """Count the held-out corrections of each reporter and of each campaign."""
    table, shares = corrections.scored.judged.table, []
    for kind in ("reporter", "campaign"):
        if kind not in table.columns:
            continue
        names = table[kind].fill_null("").to_numpy()
        for name in sorted(set(names) - {""}):
            share = corrections.comparison(np.asarray(names == name, dtype=np.bool_))
            shares.append(GroupShare(kind=kind, name=str(name), comparison=share))
    return shares


def int8_flips(models: Models, golden: Scored, most: int = 2000) -> tuple[int, int, int]:
    """Return (compared, lost, won): verdicts of the int8 file against its fp32 origin on golden.

    Verdicts that differ are lost where fp32 is right, and won where int8 is.
    """
    texts = golden.judged.texts[:most]
    if not models.challenger.package.manifest.has_encoder:
        return len(texts), 0, 0  # one file serves in both precisions
    served = golden.challenger[:most] >= OPERATING_POINT
    origin = score(models.challenger_fp32, "fp32 challenger", texts) >= OPERATING_POINT
    scam = golden.judged.scam[:most]
    lost, won = disagreements(origin == scam, served == scam)
    return len(texts), lost, won
