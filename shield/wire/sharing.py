"""Feeds of known scams that deployments share; words after STIX 2.1 where it has one."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from shield.crds.base import Wire
from shield.labels import ModelType
from shield.wire.base import NO_NUL, Answer

PublicKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")]
"""An Ed25519 public key, 32 bytes in base64."""
Host = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=NO_NUL)]


class Indicator(Answer):
    """One confirmed scam campaign, as other deployments are told of it."""

    id: Annotated[str, StringConstraints(pattern=r"^indicator--[0-9a-f-]{36}$")]
    """STIX: the same for as long as the campaign is known."""
    model_type: ModelType
    indicator_types: list[Literal["malicious-activity"]] = ["malicious-activity"]
    """STIX: what it indicates."""
    pattern_type: Literal["antispam-shield-words"] = "antispam-shield-words"
    """How `pattern` is compared: folded words, by shingles (docs/known.md)."""
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=5000, pattern=NO_NUL)]
    """Folded words that at least three reporters' messages have; numbers, links and addresses, and
    whatever fewer have, are masked: left out."""
    hosts: list[Host] = Field(default=[], max_length=50)
    """Registrable domains of its links."""
    labels: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=5)
    """The tactic of the book of scams, if reviewers have named it."""
    reporters: int = Field(ge=0)
    """People who reported it there."""
    first_seen: datetime
    last_seen: datetime
    valid_until: datetime


class Feed(Answer):
    """What a deployment shares at one moment: all of it, so that what is missing is taken back."""

    type: Literal["antispam-shield-feed"] = "antispam-shield-feed"
    spec_version: Literal["1"] = "1"
    created: datetime
    valid_until: datetime
    """Afterwards it is too old to be read."""
    indicators: list[Indicator] = Field(default=[], max_length=2000)


class SignedFeed(Wire):
    """A feed with its signature, as it is fetched, saved and imported."""

    statement: Annotated[str, StringConstraints(min_length=2, max_length=16_000_000)]
    """A `Feed` as JSON text: the very bytes that are signed."""
    key_id: Annotated[str, StringConstraints(max_length=64, pattern=NO_NUL)]
    public_key: PublicKey
    """Whose signature it is; believed only if the reader trusts this very key."""
    signature: Annotated[str, StringConstraints(max_length=128, pattern=NO_NUL)]
    """Ed25519 over `antispam-shield: feed of known campaigns`, a line feed, and `statement`;
    base64."""


class FeedRequest(Wire):
    """A deployment whose feed is to be believed, as far as "reported elsewhere" goes."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)]
    """What it is called here."""
    public_key: PublicKey
    url: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=NO_NUL)] | None = (
        None
    )
    """Where it is read from again and again; left out, feeds are imported from files."""


class FeedRead(Answer):
    """A feed that is believed here."""

    id: str
    name: str
    public_key: str
    url: str | None
    active: int
    """Entries of it that match messages now."""
    created_by: str
    created_at: datetime
    read_at: datetime | None
    """When it was last read, or tried to."""
    said: str
    """What came of it."""


class Imported(Answer):
    """What came of reading a feed."""

    added: int = 0
    """New entries; their matches are unsure."""
    refused: int = 0
    """Entries that would have changed what nobody objected to, or are too ordinary."""
    known: int = 0
    """Decided here already, one way or the other, or read before."""
    ended: int = 0
    """Entries that the feed has taken back."""
    left: int = 0
    """New ones that are taken at the next reading."""
