"""Match a message with the known campaigns, and decide its answer. Runs in every scan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from api.kit.context import Context
from api.known.check import too_ordinary
from api.known.looking import KIN
from api.known.replica import ACTIVE
from api.tables import Campaign, KnownCampaign
from shield.labels import ModelType
from shield.similarity import SIMILAR, Form, Sketches, likeness, unpacked
from shield.wire import KnownStanding

ROTATING = 3
"""Different hosts of confirmed scams with the same words from which on the sender is known to
change the host, so that a new host is no reason for doubt."""
_DAY = "%d %B"


@dataclass(frozen=True)
class Match:
    """The known campaign of a message."""

    id: str
    standing: KnownStanding
    label: str
    """The label decided by reviewers; shown to the owner if `standing` is `confirmed`."""
    reason: str


@dataclass(frozen=True)
class Alike:
    """A known campaign with the same words as the message."""

    row: KnownCampaign
    hosts: frozenset[str]


def match(ctx: Context, model_type: ModelType, form: Form, sketch: Sketches) -> Match | None:
    """Return the known campaign of a message, or `None`."""
    return choose_among(ctx, ctx.services.known.candidates(model_type.value, sketch), form)


def choose_among(ctx: Context, ids: Sequence[str], form: Form) -> Match | None:
    """Return the known campaign of a message among candidates, or `None`.

    The candidates come from memory (`Known.candidates`), their current standing from the database.
    While one of them cannot be read the match is `checking` at most.
    """
    if not ids:
        return None
    rows = ctx.session.execute(
        select(KnownCampaign, Campaign.sample_sealed)
        .join(Campaign, Campaign.id == KnownCampaign.campaign_id)
        .where(
            KnownCampaign.id.in_(ids),
            KnownCampaign.standing.in_(ACTIVE),
            KnownCampaign.expires_at > ctx.now,
        )
    ).all()
    alike, kin, unread = [], [], False
    for row, sealed in rows:
        packed = ctx.ring.shown(sealed, row.campaign_id)
        if packed is None:
            unread = True
            continue
        sample = unpacked(packed)
        similarity = likeness(form.words, sample.words)
        if similarity >= SIMILAR:
            alike.append(Alike(row, sample.hosts))
        elif similarity >= KIN and row.kin:
            kin.append((similarity, row))
    if not alike and kin and too_ordinary(form) is None:
        # A paraphrase, perhaps: nothing is said of it but that it reads much like a scam.
        return _kin(max(kin, key=lambda each: each[0])[1])
    return _hesitant(choose(form.hosts, alike), alike) if unread else choose(form.hosts, alike)


def _hesitant(match: Match | None, alike: Sequence[Alike]) -> Match | None:
    """Return a match that answers nothing: a decision that cannot be read may say the opposite."""
    if match is None or match.standing is KnownStanding.CHECKING:
        return match
    return _told(next(each.row for each in alike if each.row.id == match.id), checking=True)


def choose(hosts: frozenset[str], alike: list[Alike]) -> Match | None:
    """Return which of the known campaigns with the message's words answers it. Pure.

    With the same hosts a confirmed decision is the answer; contradicting decisions are unsure. With
    other hosts the words of a scam make the answer only unsure, since they may be copied from a
    genuine message, unless the campaign is known to change its host. A decision "harmless" never
    covers a host that it was not made for.
    """
    same = [each.row for each in alike if each.hosts == hosts]
    if same:
        confirmed = [row for row in same if row.standing == KnownStanding.CONFIRMED]
        if len({row.label for row in confirmed or same}) == 1:
            return _told((confirmed or same)[0])
        return _told(same[0], checking=True)
    if any(not each.row.positive for each in alike):
        return None
    confirmed_hosts = {
        each.hosts for each in alike if each.row.standing == KnownStanding.CONFIRMED and each.hosts
    }
    free = [each.row for each in alike if each.row.any_host]
    if not free:
        return None
    if hosts and len(confirmed_hosts) >= ROTATING:
        return _told(next(row for row in free if row.standing == KnownStanding.CONFIRMED))
    return _told(free[0], checking=True, elsewhere=True)


def _told(row: KnownCampaign, *, checking: bool = False, elsewhere: bool = False) -> Match:
    standing = KnownStanding.CHECKING if checking else KnownStanding(row.standing)
    return Match(row.id, standing, row.label, words(row, standing, elsewhere=elsewhere))


def _kin(row: KnownCampaign) -> Match:
    said = f"It reads much like a scam that {_people(row)} reported."
    return Match(row.id, KnownStanding.CHECKING, row.label, said)


def _people(row: KnownCampaign) -> str:
    return f"{row.reporters} {'person' if row.reporters == 1 else 'people'}"


def words(row: KnownCampaign, standing: KnownStanding, *, elsewhere: bool = False) -> str:
    """Return the text that explains a match."""
    people = _people(row)
    if elsewhere:
        return f"Its words are those of a scam that {people} reported; its link is another one."
    if standing is KnownStanding.CHECKING and row.origin is not None and not row.reviewers:
        return "Reported elsewhere as a scam, not checked here yet."
    if standing is KnownStanding.CHECKING:
        return "Reported by others, being checked."
    kind = "a scam" if row.positive else "harmless"
    return f"Reported by {people}, found to be {kind} by reviewers on {_day(row.decided_at)}."


def _day(moment: datetime) -> str:
    return moment.strftime(_DAY).lstrip("0")
