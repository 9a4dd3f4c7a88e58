"""Judge the challenger beside the champion: dataset and packages in, counts and a report out."""

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from components.evaluate import figures
from components.evaluate.probes import judged_where_taught, probes
from components.evaluate.report import render
from components.evaluate.scoring import (
    Models,
    Scored,
    Verdicts,
    groups,
    int8_flips,
    judge_slices,
    score_sets,
    slices,
    verdicts,
)
from components.evaluate.sets import read_sets, read_table
from components.shared.frozen import frozen
from shield.gates import Comparison, GateInput, GateLimits, GoldenRecord, decide
from shield.metrics import RocPoint, enough_hams, roc_points, score_bins
from shield.run_files import DATASET, DatasetFacts, read_history
from shield.wire import MOST_DISPUTED

log = logging.getLogger(__name__)

SURE = 0.95
LEAST_HAM = 1000
"""Fewest harmless golden messages on which a false-positive rate of 1 % can be told from 2 %."""


@dataclass(frozen=True)
class EvaluationReport:
    """What the KFP component shows beside the files."""

    gate_input: GateInput
    roc: list[RocPoint]
    """Of the challenger on the golden set, at most 200 points; empty if it has one class only."""
    confusion: list[list[int]]
    """Golden set: rows are the truth (harmless, scam), columns the challenger's verdict."""


def run(
    dataset: Path,
    challenger: Path,
    champion: Path | None,
    evaluations: Path,
    report: Path,
    *,
    baseline: Path | None = None,
    history: Path | None = None,
    fpr_budget: float = 0.01,
    seed: int = 0,
    limits: GateLimits | None = None,
) -> EvaluationReport:
    """Score both models on every set and write `evaluations` (JSON) and `report` (HTML).

    Args:
        dataset: Directory written by `build_dataset`.
        challenger: Package directory, not yet signed.
        champion: Package directory; None, or a directory without manifest, when there is none.
        evaluations: JSON file to write: a `shield.gates.GateInput`.
        report: HTML file to write; needs nothing else to be read.
        baseline: The linear model, if one was trained.
        history: JSON list of earlier versions' golden figures (`version`, `goldenDigest`,
            `goldenAccuracy`), oldest first, for the best ever.
        fpr_budget: Share of harmless messages that may be flagged; both models are judged at it.
        seed: For the bootstrap.
        limits: Of the gates, whose decision the report begins with; None: it is not known yet.

    Raises:
        Invalid: The dataset cannot be judged on; says which file and why.
        PackageInvalid: A package cannot be loaded, or scores are not numbers.
        PackageCorrupt: A file of a package is not the one its manifest names.
    """
    facts, sets = DatasetFacts.read(dataset / DATASET), read_sets(dataset)
    hams = frozen(dataset).filter(pl.col("label") == 0)["text"].to_list()
    models = Models.load(challenger, champion, baseline, hams, fpr_budget)
    log.info(_line("scoring", sets={name: judged.n for name, judged in sets.items()}))
    scored = score_sets(models, sets)
    judged = {name: verdicts(part) for name, part in scored.items()}
    corrections = _counted(judged, "fresh")
    taught = judged_where_taught(dataset, models, corrections, limits or GateLimits(), seed)
    compared, lost, won = int8_flips(models, scored["golden"])
    rng = np.random.default_rng(seed)
    gate_input = GateInput(
        model_type=facts.model_type,
        champion=None if models.champion is None else models.champion.predictor.package.digest,
        challenger=models.challenger.package.digest,
        fresh_feedback=facts.fresh_feedback,
        budget=fpr_budget,
        golden_digest=facts.golden_digest,
        golden=judged["golden"].comparison(),
        corrections=corrections,
        taught=Comparison() if taught is None else taught.comparison(),
        old_errors=_counted(judged, "old_errors"),
        time_forward=_counted(judged, "time_forward"),
        slices=slices([judged[name] for name in ("golden", "time_forward") if name in judged]),
        judge=judge_slices(judged["judge"]) if "judge" in judged else [],
        groups=groups(judged["fresh"]) if "fresh" in judged else [],
        taught_groups=[] if taught is None else groups(taught),
        phrases=probes(dataset, scored["golden"], models),
        record=_record(history, facts),
        int8_compared=compared,
        int8_flips=lost + won,
        int8_lost=lost,
        int8_won=won,
        metrics=figures.flat(judged, models, fpr_budget, rng),
        scores=_score_bins(scored["golden"]),
        disputed=_contradicted(judged["golden"]),
        warnings=_warnings(judged, models, len(hams), fpr_budget) + _another_set(history, facts),
    )
    evaluations.parent.mkdir(parents=True, exist_ok=True)
    evaluations.write_text(gate_input.model_dump_json(by_alias=True, indent=2), encoding="utf-8")
    report.parent.mkdir(parents=True, exist_ok=True)
    teaching = _teaching_texts(dataset)
    decision = decide(gate_input, limits) if limits else None
    page = render(gate_input, judged, models, teaching, fpr_budget, decision)
    report.write_text(page, encoding="utf-8")
    log.info(_line("evaluated", challenger=gate_input.challenger, metrics=gate_input.metrics))
    return EvaluationReport(gate_input, _roc(scored["golden"]), _confusion(gate_input))


def _line(event: str, **fields: object) -> str:
    return json.dumps({"event": event, **fields})


def _counted(judged: dict[str, Verdicts], name: str) -> Comparison:
    return judged[name].comparison() if name in judged else Comparison()


def _record(history: Path | None, facts: DatasetFacts) -> GoldenRecord | None:
    if history is None or not history.is_file() or not history.stat().st_size:
        return None
    same = [
        (each.version, each.golden_accuracy)
        for each in read_history(history)
        if each.golden_digest == facts.golden_digest
    ]
    if not same:
        return None
    (first, first_accuracy), (best, best_accuracy) = same[0], max(same, key=lambda each: each[1])
    return GoldenRecord(
        versions=len(same),
        first=first,
        first_accuracy=first_accuracy,
        best=best,
        best_accuracy=best_accuracy,
    )


def _another_set(history: Path | None, facts: DatasetFacts) -> list[str]:
    """Tell of a golden set that no earlier version was judged on."""
    if history is None or not history.is_file() or not history.stat().st_size:
        return []
    others = [each.golden_digest for each in read_history(history)]
    if not others or facts.golden_digest in others:
        return []
    return [
        f"The golden set is another one than before: reviewers have corrected labels of it, or the "
        f"corpus is another. {len(others)} earlier versions were judged on others, and are not "
        "compared by their figures; the champion is judged on this one anew."
    ]


def _warnings(
    judged: dict[str, Verdicts], models: Models, frozen: int, fpr_budget: float
) -> list[str]:
    golden, warnings = judged["golden"], []
    hams = int(np.sum(~golden.scam))
    if hams < LEAST_HAM:
        warnings.append(
            f"The golden set has {hams} harmless messages; below {LEAST_HAM} a false-positive rate "
            f"of {fpr_budget:.0%} cannot be told from twice that."
        )
    if frozen < enough_hams(fpr_budget):
        warnings.append(
            f"The operating point is set on {frozen} harmless messages; fewer than "
            f"{enough_hams(fpr_budget)} cannot show that a budget of {fpr_budget:.2%} is kept, "
            "even with none of them flagged."
        )
    if golden.scam.all() or not golden.scam.any():
        warnings.append("The golden set has one class only: no curve can be drawn.")
    beaten = figures.baseline_wins(judged, models, fpr_budget)
    if beaten:
        warnings.append(beaten)
    disputed = _contradicted(golden)
    if disputed:
        warnings.append(
            f"Every model contradicts the label of golden messages with confidence: "
            f"{len(disputed)}. Reviewers are asked who is right, and must not know about which."
        )
    warnings.extend(
        f"The set {name.replace('_', ' ')} is empty: nothing is known about it."
        for name in ("time_forward", "fresh")
        if name not in judged and models.champion is not None
    )
    return warnings


def _contradicted(golden: Verdicts) -> dict[str, float]:
    """Return the golden messages whose label all models contradict with confidence, surest first.

    Id to the challenger's probability of a scam; at most as many as are asked about at once.
    """
    scored = golden.scored
    wrong = np.ones(golden.scam.size, dtype=np.bool_)
    for scores in (scored.challenger, scored.champion, scored.baseline):
        if scores is not None:
            wrong &= np.where(golden.scam, scores <= 1 - SURE, scores >= SURE)
    surest = sorted(np.flatnonzero(wrong), key=lambda row: -abs(scored.challenger[row] - 0.5))
    ids = scored.judged.table["id"]
    return {
        str(ids[int(row)]): round(float(scored.challenger[row]), 6)
        for row in surest[:MOST_DISPUTED]
    }


def _teaching_texts(dataset: Path) -> list[str]:
    """Return training texts: words that many of them hold may be shown in the report."""
    path = dataset / "train.parquet"
    return read_table(path)["text"].to_list() if path.is_file() else []


def _score_bins(golden: Scored) -> dict[str, list[int]]:
    scam = golden.judged.scam
    return {
        name: score_bins(golden.challenger[here]) for name, here in (("ham", ~scam), ("scam", scam))
    }


def _roc(golden: Scored) -> list[RocPoint]:
    scam = golden.judged.scam
    if scam.all() or not scam.any():
        return []
    return roc_points(scam, golden.challenger, most=200)


def _confusion(gate_input: GateInput) -> list[list[int]]:
    golden = gate_input.golden
    return [[golden.tn, golden.fp], [golden.fn, golden.tp]]
