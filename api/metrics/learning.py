"""The metrics of learning: recall gained, retraining success, rollback rate."""

import math
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from api.tables import LedgerRow, Run, Version
from shield.labels import ModelType
from shield.metrics.counts import wilson_interval
from shield.wire import DRIFT_TRIGGER, MetricRead

TARGET_GAIN = 0.01


def recall_gain(session: Session, model_type: ModelType | None) -> MetricRead:
    """Return the recall gain on the golden set of the newest version that has a parent.

    The paired interval of the evaluation is used where the version carries one (`goldenRecallGain`,
    `...Low`, `...High`); else the difference of the two recalls, whose interval takes them as
    independent (wider, never too narrow for paired answers that agree).
    """
    query = select(Version).where(Version.parent.is_not(None), Version.status != "refused")
    if model_type is not None:
        query = query.where(Version.model_type == model_type.value)
    version = session.scalar(query.order_by(Version.created_at.desc()).limit(1))
    metric = MetricRead(
        name="recallGain",
        formula="golden recall of the newest accepted version - golden recall of its parent",
        target=TARGET_GAIN,
    )
    if version is None:
        return metric.model_copy(update={"note": "No version has a parent yet."})
    gain = recall_gain_of(session, version)
    if gain is None:
        return metric.model_copy(update={"note": f"{version.name} carries no golden recall."})
    value, low, high, n = gain
    measurable = low > 0 or high < 0
    note = f"{version.name} over {version.parent}{_held_out(version.metrics)}"
    return metric.model_copy(
        update={
            "value": value,
            "low": low,
            "high": high,
            "n": n,
            "met": value > TARGET_GAIN and low > 0,
            "note": note if measurable else f"{note}: no measurable change",
        }
    )


def _held_out(metrics: dict[str, object]) -> str:
    """Return the version's recall on the corrections held out of its own training.

    A frozen golden set near 100 % cannot show progress on new tactics; these corrections can.
    """
    before, now = _number(metrics, "freshChampionRecall"), _number(metrics, "freshRecall")
    if before is None or now is None:
        return ""
    return (
        f"; of this cycle's corrections held out of training it finds {now:.0%}, its parent "
        f"{before:.0%}"
    )


def recall_gain_of(session: Session, version: Version) -> tuple[float, float, float, int] | None:
    """Return a version's recall gain over its parent: value, interval, number of golden scams.

    `None` if one of them has no golden recall.
    """
    parent = session.get(Version, version.parent)
    return _gain(version.metrics, parent.metrics if parent else {})


def _gain(
    newer: dict[str, object], older: dict[str, object]
) -> tuple[float, float, float, int] | None:
    positives = _number(newer, "goldenPositives") or 0
    paired = [_number(newer, f"goldenRecallGain{end}") for end in ("", "Low", "High")]
    if all(end is not None for end in paired):
        value, low, high = (float(end or 0) for end in paired)
        return value, low, high, int(positives)
    new, old = _number(newer, "goldenRecall"), _number(older, "goldenRecall")
    if new is None or old is None:
        return None
    if positives <= 0:
        return new - old, -1.0, 1.0, 0
    error = math.sqrt((new * (1 - new) + old * (1 - old)) / positives)
    return new - old, new - old - 1.96 * error, new - old + 1.96 * error, int(positives)


def _number(metrics: dict[str, object], name: str) -> float | None:
    value = metrics.get(name)
    return float(value) if isinstance(value, int | float) else None


def retraining_success(
    session: Session, since: datetime, model_type: ModelType | None
) -> MetricRead:
    """Return the share of runs that ended with a verdict, refusals included, without skips."""
    query = select(Run.outcome, func.count()).where(Run.started_at >= since).group_by(Run.outcome)
    if model_type is not None:
        query = query.where(Run.model_type == model_type.value)
    # A look for drift that went no further was no run.
    query = query.where((Run.trigger != DRIFT_TRIGGER) | (Run.outcome != "skipped"))
    runs = {outcome: int(count) for outcome, count in session.execute(query).all()}
    good = runs.get("succeeded", 0) + runs.get("refused", 0)
    return _share(
        "retrainingSuccess",
        "(succeeded + refused) / (succeeded + refused + failed) runs of the last 30 days",
        good,
        good + runs.get("failed", 0),
        target=0.8,
        below=False,
        note=f"{runs.get('refused', 0)} refused by a gate, {runs.get('skipped', 0)} skipped for "
        "want of feedback (counted separately), "
        f"{runs.get('running', 0)} running.",
    )


def rollback_rate(session: Session, since: datetime, model_type: ModelType | None) -> MetricRead:
    """Return the share of versions that were rolled back.

    A rollback counts at its own time, whenever the version was promoted.
    """
    query = select(LedgerRow.action, LedgerRow.model_type, LedgerRow.version).where(
        LedgerRow.at >= since, LedgerRow.action.in_(["install", "promote", "undo"])
    )
    if model_type is not None:
        query = query.where(LedgerRow.model_type == model_type.value)
    rows = session.execute(query).all()
    promoted = {row.version for row in rows if row.action in ("install", "promote")}
    undone = {row.version for row in rows if row.action == "undo"}
    return _share(
        "rollbackRate",
        "versions taken back in the last 30 days / versions that became stable or were taken back",
        len(undone),
        len(promoted | undone),
        target=0.1,
        below=True,
        note="Candidates rejected before promotion are not rollbacks.",
    )


def _share(
    name: str, formula: str, part: int, whole: int, *, target: float, below: bool, note: str
) -> MetricRead:
    if whole == 0:
        return MetricRead(name=name, formula=formula, target=target, note=note)
    low, high = wilson_interval(part, whole)
    value = part / whole
    return MetricRead(
        name=name,
        formula=formula,
        target=target,
        value=value,
        low=low,
        high=high,
        n=whole,
        met=value < target if below else value > target,
        note=note,
    )
