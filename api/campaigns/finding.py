"""Find the campaign of a message: the one that contains its form, or one that is similar."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Integer,
    String,
    bindparam,
    cast,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.orm import Session

from api.kit import signature
from api.kit.context import Context
from api.kit.keyring import KeyRing
from api.tables import Campaign, CampaignBand, CampaignFingerprint
from shield.similarity import SIMILAR, Form, likeness, unpacked
from shield.similarity import form as form_of

_CANDIDATES = 20
"""Most campaigns that are compared in full for one message."""


@dataclass(frozen=True)
class Place:
    """The existing campaign of a message."""

    campaign_id: str
    reports: int
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
    grow with the number of campaigns; they are compared in full. One that cannot be read is left
    out, and logged.
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
