"""Trace which versions were trained on a correction, reporter, campaign or batch."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from api.audit import service as audit
from api.kit.context import Context
from api.kit.database import lock
from api.known import service as known
from api.privacy import snapshots
from api.registry import service as registry
from api.tables import BatchItem, Campaign, Feedback, User, Version
from shield.errors import NotFound, Unavailable
from shield.labels import ModelType
from shield.wire import LineageKind, LineageRead, VersionRead


@dataclass(frozen=True)
class Subject:
    """The subject of a lineage query."""

    kind: LineageKind
    id: str
    """Id of the subject; for a reporter the user id or the pseudonym."""

    @property
    def name(self) -> str:
        """Return the subject as `kind:id`."""
        return f"{self.kind}:{self.id}"


def trace(ctx: Context, subject: Subject) -> LineageRead:
    """Return the versions trained on the subject, with their descendants.

    Descendants count because their training starts from the parent's weights.

    Raises:
        NotFound: There is no such subject.
    """
    name = subject.name
    ids = feedback_ids(ctx.session, subject)
    batches = batches_of(ctx.session, ids)
    if subject.kind is LineageKind.BATCH and subject.id not in batches:
        batches = [*batches, subject.id]
    versions = learned_from(ctx.session, batches)
    now = serving(ctx)
    return LineageRead(
        subject=name,
        feedback=len(ids),
        batches=batches,
        versions=[VersionRead.model_validate(version) for version in versions],
        serving=None
        if now is None
        else [version.name for version in versions if version.name in now],
    )


def feedback_ids(session: Session, subject: Subject) -> list[str]:
    """Return the ids of a subject's corrections. Raises `NotFound`."""
    if subject.kind is LineageKind.FEEDBACK:
        if session.get(Feedback, subject.id) is None:
            raise NotFound.of("feedback", subject.id, "Look at the queue or an export.")
        return [subject.id]
    query = select(Feedback.id).order_by(Feedback.id)
    if subject.kind is LineageKind.REPORTER:
        user = session.scalar(
            select(User).where((User.id == subject.id) | (User.pseudonym == subject.id))
        )
        if user is None:
            raise NotFound.of("reporter", subject.id, "The queue shows pseudonyms.")
        query = query.where(Feedback.user_id == user.id, Feedback.source == "report")
    elif subject.kind is LineageKind.CAMPAIGN:
        if session.get(Campaign, subject.id) is None:
            raise NotFound.of("campaign", subject.id, "The queue shows campaigns.")
        query = query.where(Feedback.campaign_id == subject.id, Feedback.source == "report")
    else:
        query = (
            select(BatchItem.feedback_id)
            .where(BatchItem.batch_id == subject.id)
            .order_by(BatchItem.feedback_id)
        )
        ids = list(session.scalars(query))
        if not ids:
            raise NotFound.of("batch", subject.id, "`GET /api/v2/batches` lists them.")
        return ids
    return list(session.scalars(query))


def batches_of(session: Session, ids: Sequence[str]) -> list[str]:
    """Return every batch that ever contained one of the corrections."""
    batch_ids: set[str] = set()
    for at in range(0, len(ids), 500):
        batch_ids.update(
            session.scalars(
                select(BatchItem.batch_id)
                .where(BatchItem.feedback_id.in_(ids[at : at + 500]))
                .distinct()
            )
        )
    return sorted(batch_ids)


def learned_from(session: Session, batches: Sequence[str]) -> list[Version]:
    """Return the versions trained on any of the batches, and all their descendants."""
    batch_ids = set(batches)
    everything = list(session.scalars(select(Version).order_by(Version.created_at, Version.name)))
    learners: dict[str, Version] = {}
    for version in everything:  # parents come before their children
        if batch_ids.intersection(version.batches) or version.parent in learners:
            learners[version.name] = version
    return list(learners.values())


def serving(ctx: Context) -> set[str] | None:
    """Return the names of all serving versions; `None` while the rollout store does not answer.

    Tracing and withdrawal still work then, but the answer must not claim that none serves.
    """
    try:
        rollouts = ctx.services.rollouts.list()
    except Unavailable:
        return None
    names: set[str] = set()
    for rollout in rollouts:
        refs = (rollout.status.stable, rollout.status.candidate)
        names.update(ref.name for ref in refs if ref is not None)
    return names


def taint(ctx: Context, model_type: ModelType, name: str, reason: str) -> VersionRead:
    """Taint a version and its descendants: none can be proposed again.

    Raises:
        NotFound: There is no such version.
    """
    lock(ctx.session, f"versions {model_type}")  # no child is registered meanwhile
    version = registry.get(ctx, model_type, name)
    tainted = {version.name}
    _mark(version, reason)
    query = select(Version).where(Version.model_type == model_type.value).order_by(Version.number)
    for other in ctx.session.scalars(query):
        if other.parent in tainted:
            tainted.add(other.name)
            _mark(other, f"descends from {version.name}: {reason}")
    audit.record(ctx, "version.taint", version.name, reason, versions=sorted(tainted))
    return VersionRead.model_validate(version)


def _mark(version: Version, reason: str) -> None:
    version.tainted = True
    version.taint_reason = version.taint_reason or reason


def _nameless(ctx: Context, subject: Subject) -> str:
    """Return the subject for the audit log, without the name of a person."""
    user = ctx.session.get(User, subject.id) if subject.kind is LineageKind.REPORTER else None
    return Subject(subject.kind, user.pseudonym).name if user else subject.name


def withdraw(ctx: Context, subject: Subject, reason: str) -> LineageRead:
    """Withdraw poisoned corrections from all snapshots, so that no later version learns them.

    The answer names the versions that were; `taint` marks them.
    """
    traced = trace(ctx, subject)
    ids = feedback_ids(ctx.session, subject)
    snapshots.remove_rows(ctx, ids, "poisoned corrections were withdrawn")
    campaigns: set[str] = set()
    for at in range(0, len(ids), 500):
        for row in ctx.session.scalars(select(Feedback).where(Feedback.id.in_(ids[at : at + 500]))):
            campaigns.update([row.campaign_id] if row.campaign_id else [])
            if row.status == "approved":
                row.status, row.approved_at = "rejected", None
                row.undo_until = None
                row.updated_at = ctx.now
                row.review_notes = f"withdrawn: {reason}"[:2000]
    known.withdraw(ctx, sorted(campaigns))
    audit.record(ctx, "feedback.withdraw", _nameless(ctx, subject), reason, count=len(ids))
    return traced
