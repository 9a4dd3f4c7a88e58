"""Feeds that are believed here: add, list, read, end."""

from sqlalchemy import func, select

from api.audit import service as audit
from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.ids import new_id
from api.kit.outbox import Job, Later, post
from api.known.becoming import end
from api.known.replica import ACTIVE
from api.sharing import importing
from api.sharing.fetching import fetch
from api.tables import KnownCampaign, KnownFeed
from api.webhooks.addresses import check_url
from shield.errors import AlreadyExists, Forbidden, NotFound, ShieldError
from shield.wire import FeedRead, FeedRequest, Imported, KnownStanding, SignedFeed

FEED = "feed"
"""Work that reads a feed again and again."""
READER = Principal("feed-reader", frozenset())


def add(ctx: Context, request: FeedRequest) -> FeedRead:
    """Trust a deployment's key; with a URL its feed is read from now on.

    Raises:
        AlreadyExists: The key is trusted already.
        Invalid: The URL may not be read.
    """
    known = ctx.session.scalar(select(KnownFeed).where(KnownFeed.public_key == request.public_key))
    if known is not None:
        raise AlreadyExists(
            f"This key is that of {known.name} ({known.id}). Unsubscribe it first, or import."
        )
    if request.url is not None:
        check_url(request.url, ctx.settings.webhook_networks)
    feed = KnownFeed(
        id=new_id(ctx.now),
        name=request.name,
        public_key=request.public_key,
        url=request.url,
        created_by=ctx.user,
        created_at=ctx.now,
        stated_at=None,
        read_at=None,
        said="Not read yet.",
    )
    ctx.session.add(feed)
    ctx.session.flush()
    audit.record(ctx, "feed.add", feed.id, "", name=feed.name, url=feed.url)
    if feed.url is not None:
        post(ctx, FEED, feed.id)
    return _shown(ctx, feed)


def feeds(ctx: Context) -> list[FeedRead]:
    """Return all feeds, the oldest first."""
    return [_shown(ctx, feed) for feed in ctx.session.scalars(select(KnownFeed).order_by("id"))]


def remove(ctx: Context, feed_id: str) -> FeedRead:
    """Trust a feed no longer: what came of it alone ends.

    It commits after each lot; one that a death interrupts is repeated.

    Raises:
        NotFound: There is no such feed.
    """
    feed = _feed(ctx, feed_id)
    while gone := _ours_by_feed_alone(ctx, feed):
        for entry in gone[: importing.LOT]:
            end(ctx, entry, KnownStanding.ENDED, f"{feed.name} is no longer trusted.")
        if len(gone) <= importing.LOT:
            break
        ctx.finish()
        feed = _feed(ctx, feed_id)
    shown = _shown(ctx, feed)
    ctx.session.delete(feed)
    audit.record(ctx, "feed.remove", feed.id, "", name=feed.name)
    return shown


def _ours_by_feed_alone(ctx: Context, feed: KnownFeed) -> list[KnownCampaign]:
    """Return the active entries of a feed on which nobody here has decided."""
    entries = ctx.session.scalars(
        select(KnownCampaign)
        .where(KnownCampaign.origin == feed.id, KnownCampaign.standing.in_(ACTIVE))
        .execution_options(populate_existing=True)
    )
    return [entry for entry in entries if not entry.reviewers]


def take(ctx: Context, signed: SignedFeed) -> Imported:
    """Take in a feed from a file, if its key is trusted.

    Raises:
        Forbidden: It is not, or the signature does not hold.
        Invalid: It is no feed of this format, or too old.
    """
    feed = ctx.session.scalar(
        select(KnownFeed).where(KnownFeed.public_key == signed.public_key).with_for_update()
    )
    if feed is None:
        raise Forbidden(
            f"Nobody here trusts the key {signed.public_key}. Make sure whose it is, then "
            "`shieldctl known import FILE --key KEY --name NAME`."
        )
    return importing.take(ctx, feed, signed)


def read_feed(services: Services, job: Job) -> None:
    """Read a feed, and ask for it to be read again after a while."""
    with open_context(services, READER, reads=True) as ctx:
        feed = ctx.session.get(KnownFeed, job.subject)
        url = feed.url if feed else None
    if url is None:
        return  # nobody trusts it any more
    # No transaction is open while the other side thinks.
    try:
        signed = fetch(url, services.settings)
        with open_context(services, READER) as ctx:
            feed = ctx.session.get(KnownFeed, job.subject, with_for_update=True)
            if feed is None:
                return
            done = importing.take(ctx, feed, signed, job.renew)
    except ShieldError as fault:
        with open_context(services, READER) as ctx:
            feed = ctx.session.get(KnownFeed, job.subject)
            if feed is not None:
                feed.read_at, feed.said = ctx.now, f"Not read: {fault.message}"
        done = Imported()
    raise Later(1.0 if done.left and done.added else services.settings.known_feed_seconds)


def _feed(ctx: Context, feed_id: str) -> KnownFeed:
    feed = ctx.session.get(KnownFeed, feed_id, with_for_update=True)
    if feed is None:
        raise NotFound.of("feed", feed_id, "`shieldctl known feeds` shows them.")
    return feed


def _shown(ctx: Context, feed: KnownFeed) -> FeedRead:
    active = ctx.session.scalar(
        select(func.count()).where(
            KnownCampaign.origin == feed.id, KnownCampaign.standing.in_(ACTIVE)
        )
    )
    return FeedRead(
        id=feed.id,
        name=feed.name,
        public_key=feed.public_key,
        url=feed.url,
        active=active or 0,
        created_by=feed.created_by,
        created_at=feed.created_at,
        read_at=feed.read_at,
        said=feed.said,
    )
