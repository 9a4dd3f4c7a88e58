"""Ask, day by day, whether the champion has begun to miss more than it was released with.

Three signals, each a test that may be looked at every day: the evidence is an e-process, so the
chance of one false alarm over the whole life of a champion is at most its share of `alpha`, however
often one looks (Ville's inequality; see `shield.sequential`).

- misses: scams among audited scans that the model let through, against its golden recall
- false alarms: harmless audited scans that it flagged, against its golden false-positive rate
- complaints: verdicts that a reviewer found wrong, per scan, against those of all other versions

Audited scans are drawn at random, reported or not: what people complain about is another question
than what the model does.
"""

import json
import logging
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from shield.client import ShieldClient
from shield.errors import NotFound
from shield.labels import ModelType
from shield.sequential import Counts, convincing, log_evidence_above, log_evidence_worse
from shield.wire import Interval, RunOutcome, RunUpdate, StatsRead, VersionRead

log = logging.getLogger(__name__)

RETRAIN, STEADY, CANNOT_TELL = "retrain", "steady", "cannot_tell"


@dataclass(frozen=True)
class DriftLimits:
    """What counts as drift."""

    alpha: float = 0.05
    """Chance of ever asking for a retraining that is not needed, per champion, over all signals."""
    more_misses: float = 0.05
    """Allowed rise of the miss rate above the golden one, absolute. Users' scams are newer than the
    golden set's, so some rise is no news."""
    more_false_alarms: float = 0.01
    """Allowed rise of the false-positive rate above the golden one, absolute."""
    more_complaints: float = 0.005
    """Allowed rise of confirmed errors per scan above other versions', absolute."""
    least: int = 50
    """Observations below which a signal says nothing."""


@dataclass(frozen=True)
class Signal:
    """What one signal says."""

    name: str
    says: str
    """`retrain`, `steady` or `cannot_tell`."""
    events: int
    trials: int
    limit: float
    """The rate above which it is drift; for complaints, others' rate plus the margin."""
    message: str


def run(
    client: ShieldClient, report: Path, *, model_type: ModelType, now: datetime, limits: DriftLimits
) -> str:
    """Look at all signals, write them to `report` (JSON), and record the look with the runs.

    Args:
        client: With the role `service`.
        report: File to write.
        model_type: Whose champion.
        now: Names the look: one per day and model type.
        limits: What counts as drift.

    Returns:
        "retrain", "steady", or "cannot_tell" when every signal has too little to go by.

    Raises:
        Unavailable: The API does not answer. Never read as "steady".
    """
    run_id = f"drift-{model_type}-{now:%Y-%m-%d}"
    client.start_run(run_id, model_type, trigger="drift watch")
    try:
        champion = client.champion(model_type)
    except NotFound:
        signals, name = [], "nothing"
    else:
        signals, name = look(champion, client.stats(model_type=model_type), limits), champion.name
    verdict = _together(signals)
    document: dict[str, Any] = {
        "modelType": model_type.value,
        "champion": name,
        "at": now.isoformat(),
        "verdict": verdict,
        "alpha": limits.alpha,
        "signals": [asdict(signal) for signal in signals],
    }
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(document, indent=1), encoding="utf-8")
    said = " ".join(signal.message for signal in signals) or "No version serves yet."
    outcome = RunOutcome.SKIPPED if verdict == CANNOT_TELL else RunOutcome.SUCCEEDED
    client.finish_run(
        run_id,
        RunUpdate(outcome=outcome, message=f"{verdict}: {said}"[:2000], steps={"drift": document}),
    )
    log.info(json.dumps({"event": "drift", "model": model_type, "verdict": verdict}))
    return verdict


def look(champion: VersionRead, stats: StatsRead, limits: DriftLimits) -> list[Signal]:
    """Return what every signal says. Pure."""
    share = limits.alpha / 3
    recall = _metric(champion, "goldenRecall")
    fpr = _metric(champion, "goldenFpr")
    own = [each for each in stats.by_version if each.version == champion.name]
    others = [each for each in stats.by_version if each.version != champion.name]
    return [
        _rate(
            "misses",
            stats.rates.false_negative_rate,
            None if recall is None else 1 - recall + limits.more_misses,
            share,
            limits,
        ),
        _rate(
            "false_alarms",
            stats.rates.false_positive_rate,
            None if fpr is None else fpr + limits.more_false_alarms,
            share,
            limits,
        ),
        _complaints(
            Counts(sum(v.verdict_errors for v in own), sum(v.scans for v in own)),
            Counts(sum(v.verdict_errors for v in others), sum(v.scans for v in others)),
            share,
            limits,
        ),
    ]


def _rate(
    name: str, seen: Interval, limit: float | None, alpha: float, limits: DriftLimits
) -> Signal:
    counts = Counts(round((seen.value or 0.0) * seen.n), seen.n)
    words = name.replace("_", " ")
    if limit is None or counts.trials < limits.least:
        message = f"{words}: {counts.trials} audited scans tell nothing yet."
        return Signal(name, CANNOT_TELL, *counts, limit or 0.0, message)
    limit = min(limit, 1.0)
    drift = convincing(log_evidence_above(counts, limit), alpha)
    message = (
        f"{words}: {counts.events} of {counts.trials} audited scans "
        f"({counts.rate:.1%}); up to {limit:.1%} was promised."
    )
    return Signal(name, RETRAIN if drift else STEADY, *counts, limit, message)


def _complaints(own: Counts, others: Counts, alpha: float, limits: DriftLimits) -> Signal:
    name = "complaints"
    if min(own.trials, others.trials) < limits.least:
        message = "complaints: no other version has answered enough scans to compare with."
        return Signal(name, CANNOT_TELL, *own, 0.0, message)
    drift = convincing(log_evidence_worse(own, others, limits.more_complaints), alpha)
    limit = others.rate + limits.more_complaints
    message = (
        f"complaints: {own.events} confirmed errors in {own.trials} scans ({own.rate:.2%}); other "
        f"versions {others.rate:.2%}."
    )
    return Signal(name, RETRAIN if drift else STEADY, *own, limit, message)


def _metric(version: VersionRead, name: str) -> float | None:
    value = version.metrics.get(name)
    return float(value) if isinstance(value, int | float) else None


def _together(signals: list[Signal]) -> str:
    said = {signal.says for signal in signals}
    if RETRAIN in said:
        return RETRAIN
    return STEADY if STEADY in said else CANNOT_TELL
