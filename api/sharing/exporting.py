"""Make the feed of what reviewers here have confirmed, without what could name a person."""

import uuid
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy import select

from api.kit.context import Context
from api.sharing import signing
from api.tables import Campaign, Feedback, KnownCampaign, Scan
from shield.labels import ModelType
from shield.similarity import form, unpacked
from shield.wire import Feed, Indicator, KnownStanding, SignedFeed

FEWEST_REPORTERS = 3
"""What fewer people have sent in leaves no deployment; nor does a word that fewer have."""
MOST = 1000
_READ = 30
"""Reporters' messages that are looked at for words that all have."""
_SHARE_OF_WORDS = 0.5
"""With fewer words left of it a message says too little to be told apart."""
_VALID_DAYS = 7


def feed(ctx: Context) -> SignedFeed:
    """Return the signed feed of confirmed scam campaigns, the newest first.

    Raises:
        Misconfigured: The key of a message is missing; partners keep what they have.
    """
    rows = ctx.session.execute(
        select(KnownCampaign, Campaign)
        .join(Campaign, Campaign.id == KnownCampaign.campaign_id)
        .where(
            KnownCampaign.standing == KnownStanding.CONFIRMED.value,
            KnownCampaign.positive,
            KnownCampaign.reporters >= FEWEST_REPORTERS,
            KnownCampaign.expires_at > ctx.now,
        )
        .order_by(KnownCampaign.decided_at.desc(), KnownCampaign.id)
        .limit(MOST)
    ).all()
    indicators = [_indicator(ctx, entry, campaign) for entry, campaign in rows if entry.sketch]
    said = Feed(
        created=ctx.now,
        valid_until=ctx.now + timedelta(days=_VALID_DAYS),
        indicators=[one for one in indicators if one is not None],
    )
    return signing.sign(ctx.ring, said.model_dump_json(by_alias=True))


def _indicator(ctx: Context, entry: KnownCampaign, campaign: Campaign) -> Indicator | None:
    """Return what is told of a campaign; `None` if too few people's messages of it are left."""
    if not campaign.sample_scan_id:
        return None
    texts = _texts(ctx, entry)
    if len(texts) < FEWEST_REPORTERS:
        return None
    packed = ctx.ring.signable(campaign.sample_sealed, campaign.id)
    if packed is None:
        return None
    sample = unpacked(packed)
    pattern = masked(sample.words, texts.values())
    if len(pattern.split()) < _SHARE_OF_WORDS * len(sample.words.split()):
        return None
    return Indicator(
        id=f"indicator--{uuid.UUID(entry.id)}",
        model_type=ModelType(entry.model_type),
        pattern=pattern,
        hosts=sorted(sample.hosts),
        labels=_tactics(ctx, campaign.id),
        reporters=entry.reporters,
        first_seen=campaign.first_seen,
        last_seen=campaign.last_seen,
        valid_until=entry.expires_at,
    )


def masked(words: str, others: Iterable[str]) -> str:
    """Return the words of a message that at least three of some people's messages have. Pure.

    What differs between them is who they were sent to: names, streets, what somebody has bought.

    Args:
        words: Folded words of the message that stands for the campaign.
        others: Folded words of one message of each reporter.
    """
    counts = Counter(word for one in others for word in set(one.split()))
    return " ".join(word for word in words.split() if counts[word] >= FEWEST_REPORTERS)


def _texts(ctx: Context, entry: KnownCampaign) -> dict[str, str]:
    """Return the folded words of one message of each reporter."""
    rows = ctx.session.execute(
        select(Scan.user_id, Scan.id, Scan.text_sealed)
        .join(Feedback, Feedback.scan_id == Scan.id)
        .where(
            Feedback.campaign_id == entry.campaign_id,
            Feedback.source == "report",
            Feedback.corrected_label == entry.label,
            Scan.text_sealed.is_not(None),
        )
        .order_by(Scan.id)
        .limit(_READ)
    )
    return {
        user_id: form(text).words
        for user_id, scan_id, sealed in rows
        if sealed is not None and (text := ctx.ring.signable(sealed, scan_id)) is not None
    }


def _tactics(ctx: Context, campaign_id: str) -> list[str]:
    named = ctx.session.scalars(
        select(Feedback.review_tactic).where(
            Feedback.campaign_id == campaign_id, Feedback.review_tactic.is_not(None)
        )
    )
    return [str(tactic) for tactic, _ in Counter(named).most_common(1)]
