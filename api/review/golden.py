"""Golden labels that every model contradicts: reviewers find out who is right.

The items look like any other: an invented reporter, a claim drawn by lot, the model's verdict. What
reviewers find is read by the next run, which makes the next golden set of it.
"""

import random
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import select

from api.audit import service as audit
from api.campaigns import rank
from api.campaigns import service as campaigns
from api.kit.context import Context
from api.kit.database import lock
from api.kit.ids import new_id
from api.kit.lots import lot
from api.kit.signature import fingerprint
from api.review.meaning import truth_of
from api.tables import Feedback, GoldenLabel, Scan
from api.tables.feedback import GOLDEN, pending_values
from api.users.service import pseudonymous_user
from shield.errors import UnknownLabel
from shield.labels import (
    LABELS,
    MODEL_TYPES,
    FeedbackType,
    ModelType,
    corrected_label,
    is_positive,
)
from shield.similarity import form
from shield.wire import (
    DisputedLabel,
    DisputedLabels,
    DisputesRead,
    ReportFacts,
    ReviewedLabel,
)

_SPREAD_SECONDS = 1800.0
"""Within how long before the request the items appear to have been scanned, and then reported."""


def ask(ctx: Context, request: DisputedLabels) -> DisputesRead:
    """Put golden messages that nobody was asked about into the queue, ahead of others.

    Raises:
        UnknownLabel: A label is none of the model type's.
    """
    model_type = request.model_type
    lock(ctx.session, f"golden labels {model_type}")
    known = set(
        ctx.session.scalars(
            select(GoldenLabel.message_id).where(
                GoldenLabel.model_type == model_type.value,
                GoldenLabel.message_id.in_([each.id for each in request.messages]),
            )
        )
    )
    fresh = {each.id: each for each in request.messages if each.id not in known}
    for message in fresh.values():
        if message.label not in LABELS[model_type]:
            raise UnknownLabel(message.label, model_type, LABELS[model_type])
        ctx.session.add(
            GoldenLabel(
                model_type=model_type.value,
                message_id=message.id,
                label=message.label,
                version=request.version,
                feedback_id=_queue(ctx, model_type, request.version, message),
                created_at=ctx.now,
            )
        )
    ctx.session.flush()
    if fresh:
        audit.record(ctx, audit.ASK, request.version, count=len(fresh))
    return DisputesRead(queued=len(fresh), asked_before=len(request.messages) - len(fresh))


def _queue(ctx: Context, model_type: ModelType, version: str, message: DisputedLabel) -> str:
    """Make an item of the queue of a golden message; return its id."""
    # All at one moment, or a scan reported in the same microsecond, would tell which they are.
    reported = ctx.now - timedelta(seconds=random.SystemRandom().uniform(1, _SPREAD_SECONDS))
    scanned = reported - timedelta(seconds=random.SystemRandom().uniform(5, _SPREAD_SECONDS))
    labels = LABELS[model_type]
    verdict = labels.negative if message.label == labels.positive else labels.positive
    positive = is_positive(model_type, verdict)
    scan = Scan(
        id=new_id(scanned),
        user_id=pseudonymous_user(ctx),
        scan_type=MODEL_TYPES[model_type].scan_type.value,
        model_type=model_type.value,
        verdict=verdict,
        positive=positive,
        probability=message.probability,
        confidence=message.probability if positive else 1 - message.probability,
        model_version=version,
        arm="stable",
        forced=True,  # no evidence for or against a version
        latency_ms=0.0,
        created_at=scanned,
    )
    scan.text_sealed = ctx.ring.seal(message.text, scan.id)
    scan.fingerprint = fingerprint(form(message.text), ctx.ring)
    ctx.session.add(scan)
    ctx.session.flush()
    claim = FeedbackType.CONFIRMED
    if lot(ctx.ring.lot_key, "claim", scan.id) < 0.5:
        claim = FeedbackType.FALSE_POSITIVE if positive else FeedbackType.FALSE_NEGATIVE
    key = ctx.now.timestamp() - rank.FIRST_SECONDS
    arrival = campaigns.attach(replace(ctx, now=reported), scan, message.text, key)
    values = pending_values(
        scan,
        ReportFacts(feedback_type=claim),
        id=new_id(reported),
        source=GOLDEN,
        corrected_label=corrected_label(model_type, verdict, claim),
        campaign_id=arrival.campaign_id,
        queue_key=key,
        now=reported,
    )
    ctx.session.add(Feedback(**values))
    return str(values["id"])


def reviewed(ctx: Context, model_type: ModelType) -> list[ReviewedLabel]:
    """Return what reviewers have found golden messages to be, and can no longer undo."""
    rows = ctx.session.execute(
        select(GoldenLabel, Feedback)
        .join(Feedback, Feedback.id == GoldenLabel.feedback_id)
        .where(
            GoldenLabel.model_type == model_type.value,
            Feedback.status.in_(("approved", "rejected")),
            Feedback.undo_until < ctx.now,
        )
        .order_by(GoldenLabel.message_id)
    ).all()
    return [
        ReviewedLabel(
            id=asked.message_id,
            label=truth_of(item, "approve" if item.status == "approved" else "reject"),
            was=asked.label,
            decided_at=item.reviewed_at or item.updated_at,
        )
        for asked, item in rows
    ]
