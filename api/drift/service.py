"""Count a champion's evidence by day since its release; read the results of the drift watch.

The counts of a day may grow but never shrink, as a sequential test that is read every day requires.
The one exception is scores of days whose messages were erased by the retention time: copies among
them can no longer be recognised, so those days are left out.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from pydantic import ValidationError
from sqlalchemy import (
    ColumnElement,
    Integer,
    SQLColumnExpression,
    and_,
    case,
    extract,
    func,
    select,
)
from sqlalchemy.orm import Session

from api.kit.context import Context
from api.privacy.old_scans import BEFORE
from api.registry import service as registry
from api.rollouts.evidence import truth_differs_from_verdict
from api.tables import Campaign, Feedback, Run, Scan
from shield.labels import LABELS, FeedbackType, ModelType, is_positive
from shield.metrics.scores import SCORE_EDGES
from shield.routing import Arm
from shield.similarity import unpacked
from shield.wire import (
    DRIFT_STEP,
    DRIFT_TRIGGER,
    ArmTally,
    CampaignText,
    DriftDay,
    DriftFacts,
    DriftLook,
    Tally,
    VersionRead,
)

MOST_CAMPAIGNS = 1000
_DAY_SECONDS = 86_400


def facts(ctx: Context, model_type: ModelType) -> DriftFacts:
    """Return the daily counts of the champion.

    Raises:
        NotFound: No version is deployed.
    """
    champion = registry.champion(ctx, model_type)
    since = champion.deployed_at or champion.created_at
    return DriftFacts(
        version=champion.name,
        since=since,
        days=_days(ctx, champion, since),
        arms=_arms(ctx.session, champion, since),
        campaigns=_campaigns(ctx, model_type, since),
    )


def latest_looks(session: Session, model_types: Sequence[ModelType]) -> list[DriftLook]:
    """Return the latest finished drift check of each model type that has one."""
    looks = []
    for model_type in model_types:
        steps = session.scalars(
            select(Run.steps)
            .where(Run.trigger == DRIFT_TRIGGER, Run.model_type == model_type.value)
            .order_by(Run.started_at.desc(), Run.run_id)
            .limit(5)  # the newest may have begun just now, or failed
        ).all()
        for each in steps:
            if DRIFT_STEP not in each:
                continue
            try:
                looks.append(DriftLook.model_validate(each[DRIFT_STEP]))
            except ValidationError:  # kept by another release
                continue
            break
    return looks


def _days(ctx: Context, champion: VersionRead, since: datetime) -> list[DriftDay]:
    """Return the counts of each day that has any."""
    misses, false_alarms = _audited(ctx.session, champion, since)
    complaints, objections = _reported(ctx.session, champion, since)
    scores = _scores(ctx, champion, since)
    nothing, no_scores = Tally(events=0, trials=0), [0] * (len(SCORE_EDGES) + 1)
    return [
        DriftDay(
            number=day,
            misses=misses.get(day, nothing),
            false_alarms=false_alarms.get(day, nothing),
            complaints=complaints.get(day, nothing),
            objections=objections.get(day, nothing),
            scores=scores.get(day, no_scores),
        )
        for day in sorted({*misses, *false_alarms, *complaints, *objections, *scores})
    ]


def _day(moment: SQLColumnExpression[Any], since: datetime) -> ColumnElement[int]:
    """Return the whole days between `since` and a column's time."""
    seconds = extract("epoch", moment).cast(Integer) - int(since.timestamp())
    return (seconds // _DAY_SECONDS).cast(Integer)


def _audited(
    session: Session, champion: VersionRead, since: datetime
) -> tuple[dict[int, Tally], dict[int, Tally]]:
    """Count misses among audited scams and false alarms among audited harmless messages."""
    day = _day(Feedback.reviewed_at, since)
    rows = session.execute(
        select(
            day,
            Feedback.original_label,
            func.count(),
            func.sum(case((truth_differs_from_verdict, 1), else_=0)),
        )
        .where(
            Feedback.source == "audit",
            Feedback.status != "pending",
            Feedback.reviewed_at >= since,
            Feedback.model_type == champion.model_type.value,
            Feedback.model_version == champion.name,
        )
        .group_by(day, Feedback.original_label)
    ).all()
    misses: dict[int, Tally] = {}
    false_alarms: dict[int, Tally] = {}
    for number, verdict, total, errors in rows:
        wrong, right = int(errors), int(total) - int(errors)
        flagged = is_positive(champion.model_type, verdict)
        # What was let through wrongly is a scam, and so is what was flagged rightly.
        _add(misses, number, 0 if flagged else wrong, right if flagged else wrong)
        _add(false_alarms, number, wrong if flagged else 0, wrong if flagged else right)
    return misses, false_alarms


def _add(tallies: dict[int, Tally], day: int, events: int, trials: int) -> None:
    before = tallies.get(day, Tally(events=0, trials=0))
    tallies[day] = Tally(events=before.events + events, trials=before.trials + trials)


_REPORT = and_(Feedback.scan_id == Scan.id, Feedback.source == "report")
_OBJECTED = case((Feedback.feedback_type != FeedbackType.CONFIRMED.value, 1), else_=0)
_WRONG = case((and_(Feedback.status != "pending", truth_differs_from_verdict), 1), else_=0)


def _arms(session: Session, champion: VersionRead, since: datetime) -> list[ArmTally]:
    rows = session.execute(
        select(
            Scan.model_version,
            Scan.arm,
            func.count(),
            func.sum(_OBJECTED),
            func.sum(_WRONG),
        )
        .outerjoin(Feedback, _REPORT)
        .where(
            Scan.model_type == champion.model_type.value,
            Scan.forced.is_(False),
            Scan.created_at >= since - BEFORE,
            (Scan.model_version != champion.name) | (Scan.created_at >= since),
        )
        .group_by(Scan.model_version, Scan.arm)
        .order_by(Scan.model_version, Scan.arm)
    ).all()
    return [
        ArmTally(
            version=version,
            arm=Arm(arm),
            scans=int(scans),
            objections=int(objections),
            errors=int(errors),
        )
        for version, arm, scans, objections, errors in rows
    ]


def _reported(
    session: Session, champion: VersionRead, since: datetime
) -> tuple[dict[int, Tally], dict[int, Tally]]:
    """Count complaints per scan on any arm, and objections per scan on the stable arm."""
    day = _day(Scan.created_at, since)
    rows = session.execute(
        select(day, Scan.arm, func.count(), func.sum(_OBJECTED), func.sum(_WRONG))
        .outerjoin(Feedback, _REPORT)
        .where(*_its_scans(champion, since))
        .group_by(day, Scan.arm)
    ).all()
    complaints: dict[int, Tally] = {}
    objections: dict[int, Tally] = {}
    for number, arm, scans, objected, wrong in rows:
        _add(complaints, number, int(wrong), int(scans))
        if arm == Arm.STABLE.value:
            _add(objections, number, int(objected), int(scans))
    return complaints, objections


def _scores(ctx: Context, champion: VersionRead, since: datetime) -> dict[int, list[int]]:
    """Count scores of distinct messages: copies of one message are one observation."""
    kept = since
    if ctx.settings.retention_days is not None:
        # The clock erases only what nobody reported: what is left of that time says little.
        kept = max(since, ctx.now - timedelta(days=ctx.settings.retention_days))
    messages = (
        select(func.min(Scan.probability).label("score"), func.min(Scan.created_at).label("first"))
        .where(*_its_scans(champion, kept), Scan.fingerprint != "")
        .group_by(Scan.fingerprint)
        .subquery()
    )
    below = [
        func.coalesce(func.sum(case((messages.c.score < edge, 1), else_=0)), 0)
        for edge in SCORE_EDGES
    ]
    day = _day(messages.c.first, since)
    rows = ctx.session.execute(select(day, *below, func.count()).group_by(day)).all()
    return {
        number: [int(high) - int(low) for low, high in pairwise([0, *counts])]
        for number, *counts in rows
    }


def _its_scans(champion: VersionRead, since: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        Scan.model_type == champion.model_type.value,
        Scan.model_version == champion.name,
        Scan.created_at >= since,
        Scan.forced.is_(False),
    )


def _campaigns(ctx: Context, model_type: ModelType, since: datetime) -> list[CampaignText]:
    rows = ctx.session.scalars(
        select(Campaign)
        .where(
            Campaign.model_type == model_type.value,
            Campaign.first_seen >= since,
            Campaign.decided_label == LABELS[model_type][1],
        )
        .order_by(Campaign.first_seen, Campaign.id)
        .limit(MOST_CAMPAIGNS)
    ).all()
    return [
        CampaignText(
            id=row.id,
            text=unpacked(packed).words,
            first_seen=row.first_seen,
            reports=row.reports,
        )
        for row in rows
        if (packed := ctx.ring.shown(row.sample_sealed, row.id)) is not None
    ]
