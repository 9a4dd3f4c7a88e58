"""Find the campaign of a message, and maintain the campaign's counts."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Integer,
    Select,
    String,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
    true,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from api.campaigns import rank
from api.kit import paging, signature
from api.kit.context import Context
from api.kit.ids import new_id
from api.kit.keyring import KeyRing
from api.kit.trust import NEW_SECONDS
from api.kit.writes import Writes
from api.tables import Campaign, CampaignBand, CampaignFingerprint, Feedback, Scan, User
from shield.database_errors import is_conflict
from shield.similarity import SIMILAR, Form, likeness, unpacked
from shield.similarity import form as form_of

_CANDIDATES = 20
"""Most campaigns that are compared in full for one message."""
BURST_REPORTERS = 5
BURST_SECONDS = 3600
"""Reporters, most of them with new accounts, within `BURST_SECONDS` that make a burst."""
_BURST_NEW_SHARE = 0.6
_BURST_EVERY = 100
"""Reports between two checks for a burst, in a large campaign."""


class Seen(Protocol):
    """The attributes of a scan that campaigns use."""

    @property
    def id(self) -> str:
        """Return the scan's id."""

    @property
    def model_type(self) -> str:
        """Return the model type that judged the scan."""

    @property
    def fingerprint(self) -> str:
        """Return the keyed hash of the scan's message."""

    @property
    def created_at(self) -> datetime:
        """Return when the scan was made."""


@dataclass(frozen=True)
class Place:
    """The existing campaign of a message."""

    campaign_id: str
    reports: int
    burst: bool


@dataclass(frozen=True)
class Arrival:
    """The campaign that an item was counted in."""

    campaign_id: str
    reports: int
    """Reports of the campaign, this one included."""
    burst: bool


_BANDS = func.count().label("bands")
_SHARED = (
    select(Campaign.id, Campaign.sample_sealed, Campaign.reports, Campaign.burst, _BANDS)
    .join(CampaignBand, CampaignBand.campaign_id == Campaign.id)
    .where(CampaignBand.band.in_(bindparam("keys", expanding=True)))
    .group_by(Campaign.id)
    .order_by(_BANDS.desc(), Campaign.id)
    .limit(_CANDIDATES)
)
# The same for several messages in one statement; PostgreSQL alone has arrays. They are sent as
# text: psycopg takes longer to convert a list of numbers than PostgreSQL to look them all up.
_ASKED = (
    func.unnest(
        cast(bindparam("items", type_=String), ARRAY(Integer)),
        cast(bindparam("keys", type_=String), ARRAY(BigInteger)),
    )
    .table_valued("item", "band", name="asked")
    .render_derived()
)
# `OFFSET 0` keeps the planner from joining otherwise than by index, one row after the other: of a
# table that is small, or grows faster than it is analysed, it reads the whole each time.
_BY_INDEX = literal_column("0", Integer)
_SHARING = (
    select(CampaignBand.campaign_id)
    .where(CampaignBand.band == _ASKED.c.band)
    .offset(_BY_INDEX)
    .lateral("sharing")
)
_RANK = (
    func.row_number()
    .over(partition_by=_ASKED.c.item, order_by=(func.count().desc(), _SHARING.c.campaign_id))
    .label("rank")
)
_RANKED = (
    select(_ASKED.c.item, _SHARING.c.campaign_id, _RANK)
    .select_from(_ASKED.join(_SHARING, true()))
    .group_by(_ASKED.c.item, _SHARING.c.campaign_id)
    .subquery()
)
_FOUND = (
    select(Campaign.id, Campaign.sample_sealed, Campaign.reports, Campaign.burst)
    .where(Campaign.id == _RANKED.c.campaign_id)
    .offset(_BY_INDEX)
    .lateral("found")
)
_SHARED_BY_EACH = (
    select(_RANKED.c.item, _FOUND)
    .select_from(_RANKED.join(_FOUND, true()))
    .where(_RANKED.c.rank <= _CANDIDATES)
    .order_by(_RANKED.c.item, _RANKED.c.rank)
)
_KEY: BindParameter[float] = bindparam("key")
# The first arrival after everything was decided starts a new wait.
_LATER = (Campaign.pending == 0) | (Campaign.queue_key > _KEY)
_COUNT = (
    update(Campaign)
    .where(Campaign.id == bindparam("campaign"))
    .values(
        pending=Campaign.pending + 1,
        reports=Campaign.reports + 1,
        queue_key=case((_LATER, _KEY), else_=Campaign.queue_key),
        last_seen=bindparam("now"),
    )
)


@dataclass(frozen=True)
class Message:
    """A message as campaigns compare it."""

    model_type: str
    form: Form
    bands: Sequence[int]


def message_of(ring: KeyRing, model_type: str, text: str) -> Message:
    """Return a message as campaigns compare it."""
    form = form_of(text)
    return Message(model_type, form, signature.bands(form, model_type, ring))


def find(ctx: Context, model_type: str, form: Form) -> Place | None:
    """Return the campaign of a message, or `None`."""
    message = Message(model_type, form, signature.bands(form, model_type, ctx.ring))
    return find_each(ctx.session, ctx.ring, [message])[0]


def find_each(session: Session, ring: KeyRing, messages: Sequence[Message]) -> list[Place | None]:
    """Return the campaign of each message, or `None`.

    Candidates are the campaigns that share a band, found by an index, so that the cost does not
    grow with the number of campaigns; they are compared in full.
    """
    best: list[tuple[float, Place] | None] = [None] * len(messages)
    for at, candidate in _candidates(session, messages):
        said = messages[at].form
        packed = ring.shown(candidate.sample_sealed, candidate.id)
        if packed is None:
            continue  # a place in another campaign answers nobody: `known.matching` compares anew
        sample = unpacked(packed)
        if sample.hosts != said.hosts:
            continue
        score, known = likeness(said.words, sample.words), best[at]
        if score >= SIMILAR and (known is None or score > known[0]):
            best[at] = (score, Place(candidate.id, candidate.reports, candidate.burst))
    return [one[1] if one else None for one in best]


def _candidates(session: Session, messages: Sequence[Message]) -> Iterator[tuple[int, Any]]:
    """Yield the campaigns that share bands with a message; per message the most shared first."""
    connection = session.connection()
    if connection.dialect.name == "postgresql" and len(messages) > 1:
        parameters = {
            "items": _array([at for at, message in enumerate(messages) for _ in message.bands]),
            "keys": _array([band for message in messages for band in message.bands]),
        }
        for row in connection.execute(_SHARED_BY_EACH, parameters).all():
            yield row.item, row
        return
    for at, message in enumerate(messages):
        for row in connection.execute(_SHARED, {"keys": message.bands}).all():
            yield at, row


def _array(numbers: list[int]) -> str:
    """Return numbers as PostgreSQL reads an array of them."""
    return f"{{{str(numbers)[1:-1]}}}"


def exact(session: Session, fingerprint: str, model_type: str) -> Place | None:
    """Return the campaign that contains exactly this form of a message."""
    row = session.execute(
        select(Campaign.id, Campaign.reports, Campaign.burst)
        .join(CampaignFingerprint, CampaignFingerprint.campaign_id == Campaign.id)
        .where(
            CampaignFingerprint.fingerprint == fingerprint,
            CampaignFingerprint.model_type == model_type,
        )
    ).first()
    return Place(row.id, row.reports, row.burst) if row else None


def arrive(
    ctx: Context, writes: Writes, scan: Seen, text: str, key: float, place: Place | None
) -> Arrival:
    """Count an item with queue key `key` in its campaign; create the campaign if there is none.

    A concurrent request may write the same form of the message: `writes` then raises
    `IntegrityError`, and a retry finds the campaign.

    Args:
        ctx: The request's context.
        writes: Collects the rows to write with the item.
        scan: The scan that the item is about.
        text: The scan's message.
        key: The item's queue key; the campaign's key also includes the bonus for its reach.
        place: The result of `exact` for the scan's fingerprint.
    """
    message = None
    if place is None:
        message = message_of(ctx.ring, scan.model_type, text)
        place = find_each(ctx.session, ctx.ring, [message])[0]
    arrival = enter(ctx, writes, scan, message, place, key)
    if place is not None:
        count_all(ctx, [(arrival, key)])
    return arrival


def enter(
    ctx: Context,
    writes: Writes,
    scan: Seen,
    message: Message | None,
    place: Place | None,
    key: float,
) -> Arrival:
    """Return the campaign of an item, and add what is new of it to `writes`.

    Args:
        ctx: The request's context.
        writes: Collects the rows to write with the item.
        scan: The scan that the item is about.
        message: Its message, if no campaign has exactly this form of it.
        place: The campaign; `None` creates one. `count_all` must count the item in an existing one.
        key: The item's queue key.
    """
    campaign_id = place.campaign_id if place else new_id(ctx.now)
    if message is not None:
        writes.add(
            CampaignFingerprint,
            fingerprint=scan.fingerprint,
            model_type=scan.model_type,
            campaign_id=campaign_id,
        )
    if place is not None:
        return Arrival(campaign_id, place.reports + 1, place.burst)
    assert message is not None
    writes.add(
        Campaign,
        id=campaign_id,
        model_type=scan.model_type,
        sample_scan_id=scan.id,
        sample_sealed=ctx.ring.seal(message.form.packed(), campaign_id),
        signed=signature.mark(ctx.ring),
        pending=1,
        reports=1,
        burst=False,
        queue_key=key,
        first_seen=scan.created_at,
        last_seen=ctx.now,
    )
    writes.add_each(CampaignBand, "band", message.bands, campaign_id=campaign_id)
    return Arrival(campaign_id, 1, False)


def count_all(ctx: Context, arrivals: Sequence[tuple[Arrival, float]]) -> None:
    """Count items with their queue keys in existing campaigns.

    Campaigns are locked by their ids, in one order everywhere.
    """
    parameters = [
        {
            "campaign": arrival.campaign_id,
            "key": key - rank.reach_bonus_seconds(arrival.reports),
            "now": ctx.now,
        }
        for arrival, key in sorted(arrivals, key=lambda one: one[0].campaign_id)
    ]
    if parameters:
        ctx.session.connection().execute(_COUNT, parameters)


def attach(ctx: Context, scan: Seen, text: str, key: float) -> Arrival:
    """Count an item as `arrive` does, and write the rows immediately."""
    for tries in (1, 2, 3):
        try:
            with ctx.session.begin_nested():
                writes = Writes()
                place = exact(ctx.session, scan.fingerprint, scan.model_type)
                arrival = arrive(ctx, writes, scan, text, key, place)
                writes.run(ctx.session)
                return arrival
        except IntegrityError as error:
            if tries == 3 or not is_conflict(error):
                raise
    raise AssertionError


def reach(session: Session, campaign_ids: Collection[str]) -> dict[str, int]:
    """Return the number of scans of each campaign, reported or not; zeros are left out.

    Scans are counted up to `paging.MOST_COUNTED`: a message may be scanned a million times.
    """
    scans = (
        select(Scan.id)
        .join(CampaignFingerprint, CampaignFingerprint.fingerprint == Scan.fingerprint)
        .where(CampaignFingerprint.campaign_id == Campaign.id)
    )
    return _count_of_each(session, campaign_ids, scans)


def reporters(session: Session, campaign_ids: Collection[str]) -> dict[str, int]:
    """Return the number of distinct reporters of each campaign; zeros are left out.

    They are counted among as many reports as `paging.MOST_COUNTED`.
    """
    reports = select(Feedback.user_id).where(
        Feedback.campaign_id == Campaign.id, Feedback.source == "report"
    )
    return _count_of_each(session, campaign_ids, reports)


def _count_of_each(
    session: Session, campaign_ids: Collection[str], rows: Select[str]
) -> dict[str, int]:
    """Count for each campaign the distinct values of the first rows of a correlated query."""
    some = rows.limit(paging.MOST_COUNTED).correlate(Campaign).subquery()
    count = select(func.count(func.distinct(some.c[0]))).scalar_subquery()
    counts = session.execute(select(Campaign.id, count).where(Campaign.id.in_(campaign_ids)))
    return {campaign_id: number for campaign_id, number in counts if number}


def may_burst(arrival: Arrival) -> bool:
    """Return whether a check for a burst is due.

    A campaign that is already flagged is not checked. A large one is checked at every hundredth
    report, by its newest reports only, because counting all of them each time is expensive.
    """
    if arrival.burst or arrival.reports < BURST_REPORTERS:
        return False
    return arrival.reports <= _BURST_EVERY or arrival.reports % _BURST_EVERY == 0


def note_burst(ctx: Context, arrival: Arrival) -> None:
    """Flag a campaign that many new accounts report within a short time."""
    newest = (
        select(Feedback.user_id)
        .where(
            Feedback.campaign_id == arrival.campaign_id,
            Feedback.source == "report",
            Feedback.created_at > ctx.now - timedelta(seconds=BURST_SECONDS),
        )
        .order_by(Feedback.id.desc())  # ids begin with the time
        .limit(2 * _BURST_EVERY)
        .subquery()
    )
    recent = select(newest.c.user_id).distinct().subquery()
    born = ctx.session.scalars(
        select(User.created_at).join(recent, recent.c.user_id == User.id)
    ).all()
    youngest = ctx.now - timedelta(seconds=NEW_SECONDS)
    new = sum(1 for at in born if at > youngest)
    if len(born) < BURST_REPORTERS or new < _BURST_NEW_SHARE * len(born):
        return
    old_users = ctx.session.scalar(
        select(func.count()).select_from(
            select(User.id).where(User.created_at <= youngest).limit(1).subquery()
        )
    )
    # On a system whose every account is new, newness says nothing.
    if old_users:
        ctx.session.execute(
            update(Campaign)
            .where(Campaign.id == arrival.campaign_id)
            .values(burst=True)
            .execution_options(synchronize_session=False)
        )
