"""Start and end known campaigns as reviewers decide and undo decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.orm import Session

from api.audit import service as audit
from api.kit import signature
from api.kit.context import Context
from api.kit.database import lock
from api.kit.ids import new_id
from api.kit.outbox import post
from api.known.check import FEW, back_check, marks_kin, refusal, too_ordinary
from api.known.replica import ACTIVE, CHANNEL
from api.tables import IS_GOLD, Campaign, Feedback, KnownCampaign, Review
from api.tables.feedback import SEEDED
from shield.labels import LABELS, FeedbackType, ModelType
from shield.metrics.counts import wilson_interval
from shield.similarity import unpacked
from shield.wire import BackCheck, KnownStanding

_MOST_JUDGED = 2_000
"""Newest judgements of gold items from which a reviewer's accuracy is known."""
KNOWN = "known"
"""Kind of outbox work that corrects earlier verdicts when an entry starts or stops answering."""


def reconsider(ctx: Context, campaign_id: str | None) -> KnownCampaign | None:
    """Update the known-campaign entry of a campaign from its judgements; return it, if any.

    Each reviewer's latest judgement counts. One judgement marks copies as being checked; enough
    equal ones answer them; contradicting ones end the entry.
    """
    if campaign_id is None:
        return None
    ctx.session.flush()
    campaign = ctx.session.get(Campaign, campaign_id, populate_existing=True)
    if campaign is None or not campaign.sample_scan_id:
        return None
    of = _items(ctx.session, campaign_id)
    voices = _voices(ctx.session, of)
    entries = ctx.session.scalars(
        select(KnownCampaign).where(KnownCampaign.campaign_id == campaign_id)
    ).all()
    labels = set(voices.values())
    agreed = labels.pop() if len(labels) == 1 else None
    for entry in entries:
        if entry.label != agreed and entry.standing in ACTIVE:
            if entry.origin is not None and not voices:
                _back_elsewhere(ctx, entry)
                continue
            why = "Reviewers contradict each other." if voices else "The decision was taken back."
            _stand(ctx, entry, KnownStanding.ENDED, why)
    if agreed is None or not _corrects(ctx.session, of, agreed):
        return None
    present = next((entry for entry in entries if entry.label == agreed), None)
    if present is not None and present.standing == KnownStanding.UNDONE:
        return None  # a person took it back, and that holds
    return _let_in(ctx, campaign, of, present, agreed, sorted(voices))


def _back_elsewhere(ctx: Context, entry: KnownCampaign) -> None:
    """Let an entry of another deployment stand as it did before anybody here decided."""
    if entry.reviewers:
        entry.reviewers = []
        _stand(ctx, entry, KnownStanding.CHECKING, "Reported elsewhere; a decision was taken back.")


@dataclass(frozen=True)
class _Items:
    """The items of a campaign whose judgements count."""

    where: ColumnElement[bool]
    gold: bool
    """All items are seeded. The entry is listed like any other, so that the list does not reveal
    them, but it matches no messages."""


def _items(session: Session, campaign_id: str) -> _Items:
    own = Feedback.campaign_id == campaign_id
    reported = Feedback.source.not_in(SEEDED)
    real = session.scalar(select(Feedback.id).where(own, reported).limit(1))
    return _Items(and_(own, reported) if real else own, gold=real is None)


def change(ctx: Context, entry: KnownCampaign) -> None:
    """Number a change of an entry, and announce it after the commit."""
    lock(ctx.session, "known campaigns")
    newest = ctx.session.scalar(select(func.max(KnownCampaign.sequence))) or 0
    entry.sequence = newest + 1
    ctx.session.add(entry)
    ctx.session.flush()
    if ctx.services.engine.dialect.name == "postgresql":
        ctx.session.execute(select(func.pg_notify(CHANNEL, str(entry.sequence))))
    ctx.after_commit.append(ctx.services.known.refresh)


def end(ctx: Context, entry: KnownCampaign, standing: KnownStanding, why: str) -> None:
    """End an entry: it matches no messages from now on."""
    _stand(ctx, entry, standing, why)


def _stand(ctx: Context, entry: KnownCampaign, standing: KnownStanding, why: str) -> None:
    if KnownStanding.CONFIRMED in (entry.standing, standing):
        post(ctx, KNOWN, entry.id)
    entry.standing, entry.why = standing.value, why
    change(ctx, entry)
    # While it is being checked the log must not say what the first look found: it is read by those
    # who take the second.
    told = {} if standing is KnownStanding.CHECKING else {"label": entry.label}
    audit.record(ctx, f"known.{standing}", entry.id, why, campaign=entry.campaign_id, **told)


def _let_in(
    ctx: Context,
    campaign: Campaign,
    of: _Items,
    entry: KnownCampaign | None,
    label: str,
    reviewers: Sequence[str],
) -> KnownCampaign | None:
    standing = KnownStanding.CHECKING
    if len(reviewers) >= ctx.settings.known_looks or any(_proven(ctx, one) for one in reviewers):
        standing = KnownStanding.CONFIRMED
    if entry is not None and entry.standing == standing and entry.reviewers == list(reviewers):
        return entry
    packed = ctx.ring.shown(campaign.sample_sealed, campaign.id)
    if packed is None:
        return entry  # the decision stands, and copies are told no more than so far
    form = unpacked(packed)
    people = _reporters(ctx.session, of, label)
    positive = label == LABELS[ModelType(campaign.model_type)].positive
    check = BackCheck()
    why = too_ordinary(form)
    if why is None:
        check = back_check(ctx, campaign.model_type, form, label, people)
        why = refusal(check, label, len(people), ctx.settings.known_check_days)
    if why is not None:
        standing = KnownStanding.REFUSED
    if entry is None:
        entry = KnownCampaign(
            id=new_id(ctx.now),
            model_type=campaign.model_type,
            campaign_id=campaign.id,
            label=label,
            positive=positive,
            created_at=ctx.now,
        )
    entry.kin = positive and marks_kin(check, len(people))
    entry.any_host = positive and check.other_hosts <= FEW
    sketch = signature.packed(form, signature.sketch(form, ctx.ring), ctx.ring)
    entry.sketch = b"" if of.gold else sketch
    entry.signed = signature.mark(ctx.ring)
    entry.reviewers = list(reviewers)
    entry.reporters = len(people)
    entry.checked = check.model_dump()
    entry.decided_at = ctx.now
    entry.expires_at = ctx.now + timedelta(days=ctx.settings.known_days)
    said = f"{len(reviewers)} {'reviewer' if len(reviewers) == 1 else 'reviewers'} decided."
    _stand(ctx, entry, standing, why or said)
    return entry


def _voices(session: Session, of: _Items) -> dict[str, str]:
    """Return each reviewer's latest judgement of the campaign."""
    judged = session.execute(
        select(Review.reviewer, Review.action, Feedback.corrected_label, Feedback.model_type)
        .join(Feedback, Feedback.id == Review.feedback_id)
        .where(of.where, Review.undone_at.is_(None))
        .order_by(Review.at, Review.id)
    )
    voices = {}
    for reviewer, action, claimed, model_type in judged:
        labels = LABELS[ModelType(model_type)]
        other = labels.negative if claimed == labels.positive else labels.positive
        voices[reviewer] = claimed if action == "approve" else other
    return voices


def _corrects(session: Session, of: _Items, label: str) -> bool:
    """Return whether the model gave another label to any of the messages."""
    correction = session.scalar(
        select(Feedback.id).where(of.where, Feedback.original_label != label).limit(1)
    )
    return correction is not None


def _reporters(session: Session, of: _Items, label: str) -> frozenset[str]:
    """Return the users who reported the campaign as what it was decided to be.

    Contests count as one: each comes without an account, so that many may be one sender's.
    """
    users = session.scalars(
        select(Feedback.user_id)
        .where(
            of.where,
            Feedback.source.in_(["report", "gold"]),
            Feedback.feedback_type != FeedbackType.CONFIRMED.value,
            Feedback.corrected_label == label,
        )
        .distinct()
    )
    contested = session.scalar(
        select(Feedback.user_id)
        .where(of.where, Feedback.source == "contest", Feedback.corrected_label == label)
        .limit(1)
    )
    return frozenset(users) | ({contested} if contested else frozenset())


def _proven(ctx: Context, reviewer: str) -> bool:
    """Return whether a reviewer's accuracy on gold items allows them to decide alone."""
    needed = ctx.settings.known_gold_accuracy
    if needed is None:
        return False
    judged = ctx.session.scalars(
        select(Review.correct)
        .where(Review.reviewer == reviewer, IS_GOLD, Review.undone_at.is_(None))
        .order_by(Review.at.desc())
        .limit(_MOST_JUDGED)
    ).all()
    if not judged:
        return False
    low, _ = wilson_interval(sum(bool(right) for right in judged), len(judged))
    return low >= needed
