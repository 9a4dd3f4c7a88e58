"""Review quality: accuracy on gold items, and agreement between reviewers."""

import secrets
from collections import Counter, defaultdict
from datetime import datetime, timedelta

from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Session

from api.audit import service as audit
from api.campaigns import service as campaigns
from api.feedback import repository as feedback
from api.kit.context import Context
from api.kit.ids import new_id
from api.kit.paging import counted
from api.kit.signature import fingerprint
from api.kit.tokens import Role
from api.review.repository import names
from api.tables import IS_FURTHER, IS_GOLD, Feedback, Review, Scan
from api.tables.feedback import pending_values
from api.users.service import pseudonymous_user
from shield.errors import UnknownLabel
from shield.labels import LABELS, MODEL_OF_SCAN, ModelType, corrected_label, is_positive
from shield.metrics.counts import wilson_interval
from shield.similarity import form
from shield.wire import (
    FeedbackRead,
    GoldRequest,
    Interval,
    QualityRead,
    ReportFacts,
    ReviewerQuality,
)

DAYS = 30
"""Reviewers who have decided within so many days are listed, with the number of what they did."""
MOST = 2_000
"""Newest judgements of gold items, and newest second looks, that are counted: what happened before
says little of today, and the cost would grow with every decision."""
_HEAD_START_SECONDS = 86400
"""Queue bonus of a gold item: that of a trusted reporter's report."""


def seed_gold(ctx: Context, request: GoldRequest) -> FeedbackRead:
    """Add an item with a known answer to the queue, not distinguishable from others.

    Raises:
        UnknownLabel: The verdict is not a label of the model type.
        ContradictoryFeedback: The claim contradicts the verdict.
    """
    model_type = MODEL_OF_SCAN[request.scan_type]
    if request.verdict not in LABELS[model_type]:
        raise UnknownLabel(request.verdict, model_type, LABELS[model_type])
    label = corrected_label(model_type, request.verdict, request.feedback_type)
    positive = is_positive(model_type, request.verdict)
    scan_id, feedback_id = new_id(ctx.now), new_id(ctx.now)
    # An invented reporter: a real name would show who seeds.
    reporter = pseudonymous_user(ctx)
    serving = ctx.services.router.split(model_type)
    version = serving.stable.name if serving else f"{model_type}-v1"
    probability, confidence = _likely_score(ctx, model_type, positive)
    scan = Scan(
        id=scan_id,
        user_id=reporter,
        scan_type=request.scan_type.value,
        model_type=model_type.value,
        text_sealed=ctx.ring.seal(request.text, scan_id),
        fingerprint=fingerprint(form(request.text), ctx.ring),
        verdict=request.verdict,
        positive=positive,
        probability=probability,
        confidence=confidence,
        model_version=version,
        arm="stable",
        forced=True,
        latency_ms=0.0,
        created_at=ctx.now,
    )
    ctx.session.add(scan)
    ctx.session.flush()
    key = ctx.now.timestamp() - _HEAD_START_SECONDS
    arrival = campaigns.attach(ctx, scan, request.text, key)
    values = pending_values(
        scan,
        ReportFacts(feedback_type=request.feedback_type),
        id=feedback_id,
        source="gold",
        corrected_label=label,
        campaign_id=arrival.campaign_id,
        queue_key=key,
        now=ctx.now,
        gold_answer=request.answer.value,
    )
    row = Feedback(**values)
    ctx.session.add(row)
    ctx.session.flush()
    audit.record(ctx, audit.SEED, feedback_id, "", answer=request.answer.value)
    return feedback.readable(ctx, row)


def _likely_score(ctx: Context, model_type: ModelType, positive: bool) -> tuple[float, float]:
    """Return probability and confidence of some reported message with the same verdict.

    A constant value would make gold items recognisable. Without any reports a fixed value on the
    verdict's side is returned.
    """
    newest = (
        select(Feedback.scan_id)
        .where(Feedback.source == "report", Feedback.model_type == model_type.value)
        .order_by(Feedback.created_at.desc())
        .limit(MOST)
        .subquery()
    )
    real = ctx.session.execute(
        select(Scan.probability, Scan.confidence)
        .join(newest, newest.c.scan_id == Scan.id)
        .where(Scan.positive == positive)
        .order_by(func.random())
        .limit(1)
    ).first()
    if real is not None:
        return float(real.probability), float(real.confidence)
    sure = 0.5 + secrets.randbelow(500_000) / 1_000_000
    return (sure, sure) if positive else (1 - sure, sure)


def told_before(ctx: Context) -> datetime | None:
    """Return the time before which judgements of gold items may be shown; `None`: all of them.

    If a reviewer's accuracy changed immediately, the reviewer would know that the last item was
    gold, and could undo a wrong answer.
    """
    if Role.ADMIN in ctx.principal.roles:
        return None
    return ctx.now - timedelta(seconds=ctx.settings.undo_seconds)


def gold_accuracy(
    session: Session, reviewer: str | None = None, *, before: datetime | None = None
) -> Interval:
    """Return the share of gold items judged correctly, among the newest `MOST` judgements of them.

    Args:
        session: Reads.
        reviewer: Whose judgements; `None`: everybody's.
        before: Only judgements before this time.
    """
    query = select(Review.correct).where(IS_GOLD, Review.undone_at.is_(None))
    if reviewer is not None:
        query = query.where(Review.reviewer == reviewer)
    if before is not None:
        query = query.where(Review.at < before)
    newest = query.order_by(Review.at.desc()).limit(MOST).subquery()
    right = func.coalesce(func.sum(newest.c.correct.cast(Integer)), 0)
    total, good = session.execute(select(func.count(), right).select_from(newest)).one()
    if not total:
        return Interval()
    low, high = wilson_interval(int(good), int(total))
    return Interval(value=int(good) / int(total), low=low, high=high, n=int(total))


def quality(ctx: Context) -> QualityRead:
    """Return accuracy on gold items and agreement of the reviewers of the last `DAYS` days."""
    since, until = ctx.now - timedelta(days=DAYS), told_before(ctx)
    pairs = _pairs(ctx.session)
    reviewers = []
    for reviewer in ctx.session.scalars(names()):
        done = select(Review.id).where(Review.reviewer == reviewer, Review.at >= since)
        decided = counted(ctx.session, done.where(Review.undone_at.is_(None)))
        if not decided:
            continue
        # Of this reviewer's pairs, their own answer first.
        own = [
            (one, other) if reviewer == a else (other, one)
            for (a, one), (b, other) in pairs
            if reviewer in (a, b)
        ]
        reviewers.append(
            ReviewerQuality(
                reviewer=reviewer,
                decided=decided,
                gold=gold_accuracy(ctx.session, reviewer, before=until),
                kappa=cohens_kappa(own),
                compared=len(own),
            )
        )
    everything = [(one, other) for (_, one), (_, other) in pairs]
    return QualityRead(
        reviewers=reviewers, kappa=cohens_kappa(everything), compared=len(everything)
    )


def _pairs(session: Session) -> list[tuple[tuple[str, str], tuple[str, str]]]:
    """Return the pair of (reviewer, action) of the two blind looks at each item.

    Those of the newest `MOST` further looks. Third looks are left out: they happen only where the
    first two differ, which would bias the agreement.
    """
    # Of two judgements that stand, the later one was written as a second look or a third.
    newest = (
        select(Review.feedback_id)
        .where(IS_FURTHER, Review.undone_at.is_(None), Review.correct.is_(None))
        .order_by(Review.at.desc())
        .limit(MOST)
        .subquery()
    )
    rows = session.execute(
        select(Review.feedback_id, Review.reviewer, Review.action)
        .where(Review.feedback_id.in_(select(newest.c.feedback_id)), Review.undone_at.is_(None))
        .order_by(Review.feedback_id, Review.look)
    ).all()
    looks: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for feedback_id, reviewer, action in rows:
        looks[feedback_id].append((reviewer, action))
    return [(judged[0], judged[1]) for judged in looks.values() if len(judged) > 1]


def cohens_kappa(pairs: list[tuple[str, str]]) -> float | None:
    """Return the chance-corrected agreement of two raters, -1 to 1; `None` without items.

    Each rater has its own distribution of answers: the first of each pair is one rater, the second
    the other. (With a common distribution it would be Scott's pi.)

    Source: Cohen, "A Coefficient of Agreement for Nominal Scales", 1960.
    """
    if not pairs:
        return None
    agreed = sum(one == other for one, other in pairs) / len(pairs)
    first, second = Counter(one for one, _ in pairs), Counter(other for _, other in pairs)
    by_chance = sum(first[kind] * second[kind] for kind in first) / len(pairs) ** 2
    if by_chance == 1:
        return 1.0  # all said the same, always: agreement, though it shows little
    return (agreed - by_chance) / (1 - by_chance)
