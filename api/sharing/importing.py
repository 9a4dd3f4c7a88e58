"""Take in the known campaigns of another deployment: as unsure, after a look at our own scans."""

from collections.abc import Callable
from datetime import timedelta

from pydantic import ValidationError
from sqlalchemy import select

from api.audit import service as audit
from api.campaigns import finding
from api.campaigns import signing as bands
from api.campaigns.signing import ELSEWHERE
from api.kit import signature
from api.kit.context import Context
from api.kit.ids import new_id
from api.known.becoming import change, end
from api.known.check import FEW, back_check, marks_kin, refusal, too_ordinary
from api.known.replica import ACTIVE
from api.sharing import signing
from api.tables import Campaign, KnownCampaign, KnownFeed
from shield.errors import Conflict, Forbidden, Invalid
from shield.labels import LABELS
from shield.similarity import Form, form
from shield.similarity.form import registrable
from shield.wire import BackCheck, Feed, Imported, Indicator, KnownStanding, SignedFeed

NEW_AT_ONCE = 200
"""So many new entries are held against our scans at one reading; the rest comes at the next."""
LOT = 20
"""Entries taken in, or ended, per transaction: the lock that numbers changes is held as long."""
MOST_ACTIVE = 5_000
"""Entries that one feed may have: a feed that has gone wild must not fill every replica."""
_CLOCKS = timedelta(minutes=5)
"""By so much another deployment's clock may be ahead."""


def take(
    ctx: Context, feed: KnownFeed, signed: SignedFeed, renew: Callable[[], None] = lambda: None
) -> Imported:
    """Take in a feed; what it no longer names, and nobody here has decided, ends.

    It commits after each `LOT` entries, which others wait for; what a death leaves over follows
    when the feed is read again.

    Args:
        ctx: The context; its transaction is the first lot's.
        feed: The feed that is believed, locked.
        signed: What was read.
        renew: Called after each lot but the last.

    Raises:
        Forbidden: It is not signed with the key that is trusted.
        Invalid: It is no feed of this format, too old, or older than what was read before.
        Conflict: Meanwhile a newer one was read, or the feed was removed.
    """
    said = _read(ctx, feed, signed)
    # First of all: an older one that comes meanwhile must not bring back what this one ends.
    feed.stated_at, feed.read_at = said.created, ctx.now
    done, listed = Imported(), {one.id for one in said.indicators}
    held = _held(ctx, feed)
    # Once reviewers here have decided, it is ours.
    while gone := [
        row
        for ref, row in held.items()
        if ref not in listed and row.standing in ACTIVE and not row.reviewers
    ]:
        for row in gone[:LOT]:
            end(ctx, row, KnownStanding.ENDED, f"{feed.name} has taken it back.")
        _end_lot(ctx, feed, done, Imported(ended=len(gone[:LOT])))
        held = _next_lot(ctx, feed, said, renew)
    active = sum(row.standing in ACTIVE for row in held.values())
    looked, tried, lot = 0, 0, Imported()
    for one in said.indicators:
        if one.valid_until <= ctx.now:
            continue
        if one.id in held and not _may_begin_again(held[one.id]):
            lot.known += 1
            continue
        if tried >= NEW_AT_ONCE or active + done.added + lot.added >= MOST_ACTIVE:
            lot.left += 1
            continue
        if looked and looked % LOT == 0:
            _end_lot(ctx, feed, done, lot)
            held, lot = _next_lot(ctx, feed, said, renew), Imported()
        looked += 1
        standing = _add(ctx, feed, one)
        tried += standing is not None
        lot.added += standing is KnownStanding.CHECKING
        lot.refused += standing is KnownStanding.REFUSED
        lot.known += standing is None
    _end_lot(ctx, feed, done, lot)
    return done


def _held(ctx: Context, feed: KnownFeed) -> dict[str | None, KnownCampaign]:
    """Return the entries of a feed, as they stand now, by what they are called there."""
    entries = ctx.session.scalars(
        select(KnownCampaign)
        .where(KnownCampaign.origin == feed.id)
        .execution_options(populate_existing=True)
    )
    return {row.origin_ref: row for row in entries}


def _end_lot(ctx: Context, feed: KnownFeed, done: Imported, lot: Imported) -> None:
    """Add a lot to what is done, and tell it with the feed and in the audit log."""
    for name in Imported.model_fields:
        setattr(done, name, getattr(done, name) + getattr(lot, name))
    feed.said = _words(done)
    told = {"added": lot.added, "refused": lot.refused, "ended": lot.ended}
    if any(told.values()):
        audit.record(ctx, "feed.read", feed.id, "", **told)


def _next_lot(
    ctx: Context, feed: KnownFeed, said: Feed, renew: Callable[[], None]
) -> dict[str | None, KnownCampaign]:
    """Commit, and return the entries of the feed as they stand now.

    Raises:
        Conflict: Meanwhile a newer one was read, or the feed was removed.
    """
    ctx.finish()
    renew()
    still = ctx.session.get(KnownFeed, feed.id, with_for_update=True, populate_existing=True)
    if still is None or still.stated_at != said.created:
        raise Conflict(f"Meanwhile a newer feed of {feed.name} was read, or it was removed.")
    return _held(ctx, feed)


def _read(ctx: Context, feed: KnownFeed, signed: SignedFeed) -> Feed:
    if not signing.holds(signed, feed.public_key):
        raise Forbidden(
            f"This feed is not signed with the key of {feed.name}. Ask them for their key, and "
            "subscribe again if it has changed."
        )
    try:
        said = Feed.model_validate_json(signed.statement)
    except ValidationError as fault:
        first = fault.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise Invalid(f"It is no feed that this version reads: {where}: {first['msg']}.") from fault
    if said.valid_until <= ctx.now:
        raise Invalid(f"This feed was valid until {said.valid_until:%Y-%m-%d %H:%M} UTC.")
    if said.created > ctx.now + _CLOCKS:
        raise Invalid(f"This feed comes from the future ({said.created:%Y-%m-%d %H:%M} UTC).")
    if feed.stated_at is not None and said.created < feed.stated_at:
        raise Invalid(
            f"This feed is of {said.created:%Y-%m-%d %H:%M:%S} UTC, and a newer one was read "
            "already: it would bring back what was taken back."
        )
    return said


def _add(ctx: Context, feed: KnownFeed, one: Indicator) -> KnownStanding | None:
    """Make an entry; return how it stands, or `None` if the campaign is decided here."""
    # Folded once more: the other deployment may run another release.
    hosts = {_host(host) for host in one.hosts}
    said = Form(form(one.pattern).words, frozenset(filter(None, hosts)))
    place = finding.find(ctx, one.model_type.value, said)
    entry = KnownCampaign(id=new_id(ctx.now), created_at=ctx.now)
    if place is not None:
        here = ctx.session.scalars(
            select(KnownCampaign)
            .where(KnownCampaign.campaign_id == place.campaign_id)
            .execution_options(populate_existing=True)
        ).all()
        if not all(map(_may_begin_again, here)):
            return None
        entry = here[0] if here else entry
    label = LABELS[one.model_type].positive
    why, check = too_ordinary(said), BackCheck()
    if why is None:
        check = back_check(ctx, one.model_type.value, said, label, frozenset())
        why = refusal(check, label, 0, ctx.settings.known_check_days)
    standing = KnownStanding.REFUSED if why else KnownStanding.CHECKING
    campaign_id = place.campaign_id if place else _campaign(ctx, one, said).id
    entry.model_type, entry.campaign_id = one.model_type.value, campaign_id
    entry.label, entry.positive, entry.standing = label, True, standing.value
    entry.any_host, entry.kin = check.other_hosts <= FEW, marks_kin(check, 0)
    entry.sketch = signature.packed(said, signature.sketch(said, ctx.ring), ctx.ring)
    entry.signed = signature.mark(ctx.ring)
    entry.reviewers, entry.reporters = [], one.reporters
    entry.why, entry.checked = why or f"Reported to {feed.name}.", check.model_dump()
    entry.origin, entry.origin_ref = feed.id, one.id
    entry.decided_at = ctx.now
    entry.expires_at = min(one.valid_until, ctx.now + timedelta(days=ctx.settings.known_days))
    change(ctx, entry)
    return standing


def _may_begin_again(entry: KnownCampaign) -> bool:
    """Tell whether an entry came from a feed, has ended, and nobody here has decided on it."""
    over = entry.standing in (KnownStanding.ENDED, KnownStanding.EXPIRED)
    return over and entry.origin is not None and not entry.reviewers


def _host(host: str) -> str:
    """Return a host as our own messages' hosts are kept; of a shortened link the whole of it."""
    domain, slash, path = host.lower().partition("/")
    return registrable(domain) + slash + path


def _campaign(ctx: Context, one: Indicator, said: Form) -> Campaign:
    """Make a campaign without a message of ours, so that what people report here joins it."""
    campaign = Campaign(
        id=new_id(ctx.now),
        model_type=one.model_type.value,
        sample_scan_id=ELSEWHERE,
        sample_sealed=b"",
        pending=0,
        reports=0,
        burst=False,
        queue_key=ctx.now.timestamp(),
        first_seen=one.first_seen,
        last_seen=one.last_seen,
    )
    bands.sign(ctx, campaign, ELSEWHERE, said)
    ctx.session.add(campaign)
    ctx.session.flush()
    return campaign


def _words(done: Imported) -> str:
    parts = [
        f"{number} {word}"
        for number, word in (
            (done.added, "new"),
            (done.refused, "refused as too ordinary"),
            (done.known, "known already"),
            (done.ended, "taken back"),
            (done.left, "left for the next reading"),
        )
        if number
    ]
    return f"Read: {', '.join(parts) or 'nothing in it'}."
