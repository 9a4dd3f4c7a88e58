"""Correct earlier verdicts by a known campaign, and revert them when its decision is undone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from sqlalchemy import Row, func, or_, select

from api.inbox.notices import POSTMAN, Postman
from api.kit import signature
from api.kit.context import Context, Services, open_context
from api.kit.outbox import Job, post
from api.known import matching
from api.known.becoming import KNOWN
from api.known.matching import Match
from api.tables import Feedback, KnownCampaign, Revision, Scan
from shield.labels import ModelType
from shield.similarity import estimate, form
from shield.wire import KnownStanding, NoticeKind

_CHUNK = 5_000
"""Scans compared per transaction: about a megabyte of sketches."""
_LOT = 200
"""Corrections written, or taken back, per transaction, which holds the lock that orders notices."""
_LEAST = 0.25
"""Least estimated similarity at which a scan is decrypted and compared in full."""
_STRAGGLERS_SECONDS = 30
"""Time after a decision when the newest scans are compared again, to include scans that were being
answered by a process that did not have the decision yet."""
_TURNS_BACK = ("undone", "checking", "refused", "ended")
"""Standings of entries whose decision no longer holds. An expired one was right."""


def revise(services: Services, job: Job) -> None:
    """Update the verdicts of the last weeks to the current standing of a known campaign."""
    services.known.refresh()
    with open_context(services, POSTMAN, reads=True) as ctx:
        entry = ctx.session.get(KnownCampaign, job.subject)
    if entry is None or not entry.sketch:
        return  # erased, or it matches nothing: there is nobody to tell
    if entry.standing == KnownStanding.CONFIRMED:
        _correct(services, job, entry)
    elif entry.standing in _TURNS_BACK:
        _turn_back(services, job, entry)


@dataclass(frozen=True)
class _Found:
    """A scan that belongs to a known campaign."""

    id: str
    user_id: str
    told: str


def _correct(services: Services, job: Job, entry: KnownCampaign) -> None:
    """Correct the verdicts of the last weeks' scans of a campaign, newest first."""
    now = services.clock()
    since = now - timedelta(days=services.settings.revise_days)
    if job.facts.get("since"):
        since = datetime.fromisoformat(job.facts["since"])
    first, last = _first_id(since), "g"
    while True:
        with open_context(services, POSTMAN, reads=True) as ctx:
            scans = _scans(ctx, entry.model_type, first, last)
            members = list(_belonging(ctx, entry, scans))
        for at in range(0, len(members), _LOT):
            with open_context(services, POSTMAN) as ctx:
                if not _write(ctx, entry, members[at : at + _LOT]):
                    return  # what was changed meanwhile is turned back by its own work
        if len(scans) < _CHUNK:
            break
        last = scans[-1].id
        job.renew()
    if not job.facts.get("since"):
        with open_context(services, POSTMAN) as ctx:
            later = ctx.now + timedelta(seconds=_STRAGGLERS_SECONDS)
            hour_before = (entry.decided_at - timedelta(hours=1)).isoformat()
            post(ctx, KNOWN, entry.id, due_at=later, since=hour_before)


def _first_id(since: datetime) -> str:
    """Return a lower bound of the ids made from a time on; ids begin with their time."""
    return f"{int(since.timestamp() * 1000):012x}"


_Seen = Sequence[Row[str, str, str, str | None, bytes | None, str | None]]


def _scans(ctx: Context, model_type: str, first: str, last: str) -> _Seen:
    return ctx.session.execute(
        select(Scan.id, Scan.user_id, Scan.verdict, Scan.told_label, Scan.sketch, Revision.label)
        .outerjoin(Revision, Revision.scan_id == Scan.id)
        .where(
            Scan.id >= first,
            Scan.id < last,
            Scan.model_type == model_type,
            Scan.sketch.is_not(None),
        )
        .order_by(Scan.id.desc())
        .limit(_CHUNK)
    ).all()


def _belonging(ctx: Context, entry: KnownCampaign, scans: _Seen) -> Iterator[_Found]:
    """Yield the scans of the campaign whose owners were told another label."""
    if not scans:
        return
    rows, hosts = signature.unpacked([scan.sketch for scan in scans if scan.sketch is not None])
    own, own_hosts = signature.unpacked([entry.sketch])
    near = (estimate(own[0], rows) >= _LEAST) & (hosts == own_hosts[0])
    for place in np.flatnonzero(near):
        scan = scans[int(place)]
        told = scan.label or scan.told_label or scan.verdict
        if told != entry.label and _answer(ctx, entry, scan.id) is not None:
            yield _Found(scan.id, scan.user_id, told)


def _answer(ctx: Context, entry: KnownCampaign, scan_id: str) -> Match | None:
    """Return the known campaign that answers a scan like the entry, by the rule of new scans."""
    sealed = ctx.session.scalar(select(Scan.text_sealed).where(Scan.id == scan_id))
    if sealed is None:
        return None
    text = ctx.ring.shown(sealed, scan_id)
    if text is None:
        return None  # one changed row must not keep all others from being corrected
    said = form(text)
    sketch = signature.sketch(said, ctx.ring)
    matched = matching.match(ctx, ModelType(entry.model_type), said, sketch)
    if matched is None or matched.standing is not KnownStanding.CONFIRMED:
        return None
    return matched if matched.label == entry.label else None


def _still(ctx: Context, entry: KnownCampaign, *standings: str) -> bool:
    standing = ctx.session.scalar(
        select(KnownCampaign.standing).where(KnownCampaign.id == entry.id).with_for_update()
    )
    return standing in standings


def _write(ctx: Context, entry: KnownCampaign, matches: Sequence[_Found]) -> bool:
    """Correct some scans and notify their owners; return whether the decision still stands."""
    ids = [scan.id for scan in matches]
    # The scans first, as an erasure does: who waits for whom must not go round in a circle.
    locked = select(Scan.id, Scan.user_id).where(Scan.id.in_(ids)).with_for_update()
    owners = dict(ctx.session.execute(locked).all())
    if not _still(ctx, entry, KnownStanding.CONFIRMED):
        return False
    reporters = _reporters(ctx, ids, entry.label)
    postman = Postman(ctx)
    for scan in matches:
        if owners.get(scan.id) != scan.user_id:
            continue  # erased meanwhile
        ctx.session.merge(
            Revision(
                scan_id=scan.id,
                user_id=scan.user_id,
                known_id=entry.id,
                label=entry.label,
                at=ctx.now,
            )
        )
        # Who had said so is told what became of the report.
        if scan.user_id not in reporters:
            postman.tell(
                scan.user_id,
                NoticeKind.REVISED,
                entry.id,
                scan.id,
                told=scan.told,
                found=entry.label,
                campaign_id=entry.campaign_id,
            )
    return True


def _reporters(ctx: Context, scan_ids: Sequence[str], label: str) -> dict[str, str]:
    """Return the reporters of the scans who claimed the decided label, with their status."""
    rows = ctx.session.execute(
        select(Feedback.user_id, Feedback.status).where(
            Feedback.scan_id.in_(scan_ids),
            Feedback.source == "report",
            Feedback.corrected_label == label,
        )
    )
    return dict(rows.all())


def _turn_back(services: Services, job: Job, entry: KnownCampaign) -> None:
    """Revert the corrections of a campaign, and notify everyone who was told its answer."""
    while _turn_some_back(services, entry):
        job.renew()
    last: _At | None = None
    while True:
        with open_context(services, POSTMAN) as ctx:
            last = _unanswer_some(ctx, entry, last)
        if last is None:
            return
        job.renew()


def _turn_some_back(services: Services, entry: KnownCampaign) -> bool:
    """Revert some corrections; return whether there may be more."""
    with open_context(services, POSTMAN) as ctx:
        revisions = ctx.session.scalars(
            select(Revision)
            .where(Revision.known_id == entry.id, Revision.label == entry.label)
            .order_by(Revision.scan_id)
            .limit(_LOT)
            .with_for_update()
        ).all()
        if not revisions or not _still(ctx, entry, *_TURNS_BACK):
            return False
        reports = _reporters(ctx, [revision.scan_id for revision in revisions], entry.label)
        postman = Postman(ctx)
        for revision in revisions:
            other = _answer(ctx, entry, revision.scan_id)
            if other is not None:
                revision.known_id = other.id  # which says the same
                continue
            ctx.session.delete(revision)
            # Whose report waits again is told so by the decision's own undoing.
            if reports.get(revision.user_id) != "pending":
                _take_back(postman, entry, revision.user_id, revision.scan_id)
        return True


def _take_back(postman: Postman, entry: KnownCampaign, user_id: str, scan_id: str) -> None:
    postman.tell(user_id, NoticeKind.TAKEN_BACK, entry.id, scan_id, told=entry.label, found=None)


_At = tuple[datetime, str]
"""Time and id of a scan, by which a campaign's scans are ordered as their index is."""


def _unanswer_some(ctx: Context, entry: KnownCampaign, after: _At | None) -> _At | None:
    """Restore the model's verdict on some scans that the decision had answered, newest first.

    Whose verdict is restored has a revision, and is passed over when the work is begun anew.

    Args:
        ctx: The context of this lot.
        entry: The known campaign whose decision no longer holds.
        after: The last scan of the lot before; `None` begins with the newest.

    Returns:
        The last scan that was looked at, or `None` if nothing is left to do.
    """
    since = ctx.now - timedelta(days=ctx.settings.revise_days)
    query = (
        select(Scan.id, Scan.user_id, Scan.verdict, Scan.created_at)
        .outerjoin(Revision, Revision.scan_id == Scan.id)
        .where(
            Scan.known_id == entry.id,
            Scan.created_at >= since,
            Scan.told_label == entry.label,
            Scan.verdict != entry.label,
            Revision.scan_id.is_(None),
        )
        .order_by(Scan.created_at.desc(), Scan.id.desc())
        .limit(_LOT)
        .with_for_update(of=Scan)  # the scans first, as an erasure does
    )
    if after is not None:
        at, scan_id = after
        older = or_(Scan.created_at < at, Scan.id < scan_id)
        query = query.where(Scan.created_at <= at, older)
    answered = ctx.session.execute(query).all()
    if not answered or not _still(ctx, entry, *_TURNS_BACK):
        return None
    postman = Postman(ctx)
    for scan in answered:
        if _answer(ctx, entry, scan.id) is not None:
            continue
        ctx.session.add(
            Revision(
                scan_id=scan.id,
                user_id=scan.user_id,
                known_id=entry.id,
                label=scan.verdict,
                at=ctx.now,
            )
        )
        _take_back(postman, entry, scan.user_id, scan.id)
    last = answered[-1]
    return (last.created_at, last.id) if len(answered) == _LOT else None


def people_of(ctx: Context, known_ids: Sequence[str], reader: str) -> dict[str, int]:
    """Return the number of people other than the reader that each known campaign has reached."""
    reached = (
        select(Scan.known_id.label("known_id"), Scan.user_id.label("user_id"))
        .where(Scan.known_id.in_(known_ids), Scan.user_id != reader)
        .union(
            select(Revision.known_id, Revision.user_id).where(
                Revision.known_id.in_(known_ids), Revision.user_id != reader
            )
        )
        .subquery()
    )
    counts = ctx.session.execute(
        select(reached.c.known_id, func.count()).group_by(reached.c.known_id)
    )
    return {known_id: int(number) for known_id, number in counts}
