"""Count a champion's evidence since its release; read the results of the drift watch.

Counts grow with time and do not lose what they held: a test that may be looked at every day is
valid only for such. The one exception are scores where old messages are erased by the clock: which
of these were copies of another is no longer known, so they are left out as a whole.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Integer, and_, case, func, select
from sqlalchemy.orm import Session

from api.kit.context import Context
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
    DriftFacts,
    DriftLook,
    Tally,
    VersionRead,
)

OPENING = timedelta(days=7)
"""How long a champion's opening lasts; what users object to later is compared with it."""
BEFORE = timedelta(days=30)
"""So long before the release, other versions' scans count."""
MOST_CAMPAIGNS = 1000


def facts(ctx: Context, model_type: ModelType) -> DriftFacts:
    """Return what has been seen of the champion.

    Raises:
        NotFound: No version serves.
    """
    champion = registry.champion(ctx, model_type)
    since = champion.deployed_at or champion.created_at
    misses, false_alarms = _audited(ctx.session, champion)
    opening, later = _objections(ctx.session, champion, since)
    return DriftFacts(
        version=champion.name,
        since=since,
        misses=misses,
        false_alarms=false_alarms,
        arms=_arms(ctx.session, champion, since),
        opening=opening,
        later=later,
        scores=_scores(ctx, champion, since),
        campaigns=_campaigns(ctx, model_type, since),
    )


def latest_looks(session: Session, model_types: Sequence[ModelType]) -> list[DriftLook]:
    """Return the newest finished look of each model type that has one."""
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


def _audited(session: Session, champion: VersionRead) -> tuple[Tally, Tally]:
    """Return misses among audited scams, and false alarms among audited harmless messages."""
    rows = session.execute(
        select(
            Feedback.original_label,
            func.count(),
            func.sum(case((truth_differs_from_verdict, 1), else_=0)),
        )
        .where(
            Feedback.source == "audit",
            Feedback.status != "pending",
            Feedback.model_type == champion.model_type.value,
            Feedback.model_version == champion.name,
        )
        .group_by(Feedback.original_label)
    ).all()
    wrong, right = {True: 0, False: 0}, {True: 0, False: 0}
    for verdict, total, errors in rows:
        said_scam = is_positive(champion.model_type, verdict)
        wrong[said_scam] += int(errors)
        right[said_scam] += int(total) - int(errors)
    return (
        Tally(events=wrong[False], trials=wrong[False] + right[True]),
        Tally(events=wrong[True], trials=wrong[True] + right[False]),
    )


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


def _objections(session: Session, champion: VersionRead, since: datetime) -> tuple[Tally, Tally]:
    """Return objections per scan in the champion's opening, and later."""
    early = (Scan.created_at < since + OPENING).cast(Integer)
    rows = session.execute(
        select(early, func.count(), func.sum(_OBJECTED))
        .outerjoin(Feedback, _REPORT)
        .where(*_its_scans(champion, since), Scan.arm == Arm.STABLE.value)
        .group_by(early)
    ).all()
    tallies = {bool(first): Tally(events=int(said), trials=int(n)) for first, n, said in rows}
    nothing = Tally(events=0, trials=0)
    return tallies.get(True, nothing), tallies.get(False, nothing)


def _scores(ctx: Context, champion: VersionRead, since: datetime) -> list[int]:
    """Count different messages: a flood of one is one observation, not ten thousand."""
    if ctx.settings.retention_days is not None:
        # The clock erases only what nobody reported: what is left of that time says little.
        since = max(since, ctx.now - timedelta(days=ctx.settings.retention_days))
    messages = (
        select(func.min(Scan.probability).label("score"))
        .where(*_its_scans(champion, since), Scan.fingerprint != "")
        .group_by(Scan.fingerprint)
        .subquery()
    )
    below = [
        func.coalesce(func.sum(case((messages.c.score < edge, 1), else_=0)), 0)
        for edge in SCORE_EDGES
    ]
    *counts, total = ctx.session.execute(select(*below, func.count()).select_from(messages)).one()
    borders = [0, *(int(n) for n in counts), int(total)]
    return [high - low for low, high in pairwise(borders)]


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
            text=unpacked(ctx.ring.open(row.sample_sealed, row.id)).words,
            first_seen=row.first_seen,
            reports=row.reports,
        )
        for row in rows
    ]
