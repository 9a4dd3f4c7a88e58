"""Feeds of known scams shared between deployments, with the terms of STIX 2.1."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from shield.crds.base import Wire
from shield.labels import ModelType
from shield.wire.base import NO_NUL, Answer

PublicKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9+/]{43}=$")]
"""An Ed25519 public key, 32 bytes in base64."""
Host = Annotated[str, StringConstraints(min_length=1, max_length=512, pattern=NO_NUL)]


class Indicator(Answer):
    """One confirmed scam campaign, as shared with other deployments."""

    id: Annotated[str, StringConstraints(pattern=r"^indicator--[0-9a-f-]{36}$")]
    """STIX id, stable while the campaign is known."""
    model_type: ModelType
    indicator_types: list[Literal["malicious-activity"]] = ["malicious-activity"]
    """STIX indicator types."""
    pattern_type: Literal["antispam-shield-words"] = "antispam-shield-words"
    """How `pattern` is compared: folded words, by shingles (docs/known.md)."""
    pattern: Annotated[str, StringConstraints(min_length=1, max_length=5000, pattern=NO_NUL)]
    """Folded words that at least three reporters' messages have; numbers, links and addresses, and
    whatever fewer have, are masked: left out."""
    hosts: list[Host] = Field(default=[], max_length=50)
    """Registrable domains of its links."""
    labels: list[Annotated[str, Field(max_length=64)]] = Field(default=[], max_length=5)
    """The tactic of the book of scams, if reviewers have named it."""
    reporters: int = Field(ge=0, lt=2**31)
    """Number of reporters in that deployment."""
    first_seen: AwareDatetime
    last_seen: AwareDatetime
    valid_until: AwareDatetime


class Feed(Answer):
    """All indicators that a deployment shares; a missing one is thereby withdrawn."""

    type: Literal["antispam-shield-feed"] = "antispam-shield-feed"
    spec_version: Literal["1"] = "1"
    created: AwareDatetime
    valid_until: AwareDatetime
    """Expiry of the feed."""
    indicators: list[Indicator] = Field(default=[], max_length=2000)


class SignedFeed(Wire):
    """A feed with its signature."""

    statement: Annotated[str, StringConstraints(min_length=2, max_length=16_000_000)]
    """JSON of a `Feed`, the exact text that is signed."""
    key_id: Annotated[str, StringConstraints(max_length=64, pattern=NO_NUL)]
    public_key: PublicKey
    """Public key of the signature; accepted only if the reader trusts this key."""
    signature: Annotated[str, StringConstraints(max_length=128, pattern=NO_NUL)]
    """Ed25519 over `antispam-shield: feed of known campaigns`, a line feed, and `statement`;
    base64."""


class FeedRequest(Wire):
    """A trusted feed of another deployment; its entries are shown as "reported elsewhere"."""

    name: Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=NO_NUL)]
    """Local name of the feed."""
    public_key: PublicKey
    url: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=NO_NUL)] | None = (
        None
    )
    """URL that is polled; without one, the feed is imported from files."""


class FeedRead(Answer):
    """A trusted feed."""

    id: str
    name: str
    public_key: str
    url: str | None
    active: int
    """Number of its active entries."""
    created_by: str
    created_at: datetime
    read_at: datetime | None
    """Time of the latest attempt to read it."""
    said: str
    """Result of the latest attempt."""


class Imported(Answer):
    """The result of importing a feed."""

    added: int = 0
    """Number of new entries; their matches are shown as unsure."""
    refused: int = 0
    """Number of entries refused by the check against the last days' scans."""
    known: int = 0
    """Number of entries already decided here or imported before."""
    ended: int = 0
    """Number of entries that the feed has withdrawn."""
    left: int = 0
    """Number of new entries left for the next import."""
