"""Count items in the campaigns of their messages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import BindParameter, bindparam, case, update
from sqlalchemy.exc import IntegrityError

from api.campaigns import rank
from api.campaigns.finding import Message, Place, exact, find_each, message_of
from api.kit import signature
from api.kit.context import Context
from api.kit.ids import new_id
from api.kit.writes import Writes
from api.tables import Campaign, CampaignBand, CampaignFingerprint
from shield.database_errors import is_conflict


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
class Arrival:
    """The campaign that an item was counted in."""

    campaign_id: str
    reports: int
    """Reports of the campaign, this one included."""
    burst: bool


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
