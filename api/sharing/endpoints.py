"""`/known/feed` and `/known/feeds`: our feed for others, and those that we believe."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request

from api.kit.auth import Principal
from api.kit.context import (
    AdminWrite,
    ReviewerRead,
    Services,
    get_services,
    open_context,
)
from api.kit.paths import PathId
from api.sharing import exporting, service
from shield.errors import NotFound
from shield.wire import Envelope, FeedRead, FeedRequest, Imported, SignedFeed

router = APIRouter(tags=["known"])
_SUBSCRIBER = Principal("subscriber", frozenset())


@router.get("/feed")
def public_feed(
    request: Request, services: Annotated[Services, Depends(get_services)]
) -> Envelope[SignedFeed]:
    """Return the feed of confirmed scam campaigns to other deployments, if that is switched on."""
    if not services.settings.known_feed:
        raise NotFound("This deployment shares no feed; SHIELD_API_KNOWN_FEED switches it on.")
    services.limiter.check_read(f"subscriber {services.limiter.address(request)}")
    with open_context(services, _SUBSCRIBER, reads=True) as ctx:
        return Envelope[SignedFeed](data=exporting.feed(ctx))


@router.get("/known/feed")
def own_feed(ctx: ReviewerRead) -> Envelope[SignedFeed]:
    """Return the feed of confirmed scam campaigns, to be handed to another deployment."""
    return Envelope[SignedFeed](data=exporting.feed(ctx))


@router.get("/known/feeds")
def feeds(ctx: ReviewerRead) -> Envelope[list[FeedRead]]:
    """List the feeds that are believed here."""
    return Envelope[list[FeedRead]](data=service.feeds(ctx))


@router.post("/known/feeds", status_code=201)
def add_feed(body: FeedRequest, ctx: AdminWrite) -> Envelope[FeedRead]:
    """Trust a deployment's key; with a URL its feed is read from now on."""
    return Envelope[FeedRead](message="Trusted.", data=service.add(ctx, body))


@router.delete("/known/feeds/{feed_id}")
def remove_feed(feed_id: PathId, ctx: AdminWrite) -> Envelope[FeedRead]:
    """Trust a feed no longer: what came of it and nobody here has decided ends."""
    return Envelope[FeedRead](message="Removed.", data=service.remove(ctx, feed_id))


@router.post("/known/feeds/import")
def import_feed(body: SignedFeed, ctx: AdminWrite) -> Envelope[Imported]:
    """Take in a feed from a file, if its key is trusted."""
    return Envelope[Imported](message="Read.", data=service.take(ctx, body))
