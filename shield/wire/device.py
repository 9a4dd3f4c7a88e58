"""The judge on the phone: which one is in force, what it has said, and what it got wrong."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from shield.crds.base import Wire
from shield.labels import Certainty, ModelType, ScanType
from shield.wire.base import Answer, MessageText, Note, VersionName

FEWEST_SCANS = 20
"""Scans of one count: fewer would tell of single messages."""
KEPT_SHARE = 0.75
"""How often a phone counts what it has really said; else, one of the three answers by lot."""


class DeviceAnswer(StrEnum):
    """What a phone says to a person."""

    HARMLESS = "harmless"
    SCAM = "scam"
    UNSURE = "unsure"


class DeviceOpinion(Wire):
    """What a phone has said of a message by itself."""

    version: VersionName
    verdict: Annotated[str, Field(pattern=r"^[a-z]{1,16}$")]
    """A label of the model type, as a scan's `verdict`."""
    certainty: Certainty


class ReleaseStatement(Wire):
    """Which version judges on phones now. The API signs the JSON of this."""

    format: str = "shield-release-1"
    scan_type: ScanType
    model_type: ModelType
    number: int
    """Rises with every change, an undo included. Whoever has seen a higher one refuses this."""
    version: VersionName
    package: str
    """`sha256:` digest of the manifest of the version's package."""
    judge: bool
    """False: the version brings no judge for phones; they keep none and ask the server."""
    issued_at: str


class DeviceReleaseRead(Answer):
    """The statement, and the signatures that a phone checks before it believes a byte."""

    statement: str
    """JSON of `ReleaseStatement`, the exact text that is signed."""
    key_id: str
    signature: str
    """Base64, Ed25519 by the API's key over `antispam-shield: release for phones`, a line feed and
    the statement."""
    package_signature: str | None
    """`manifest.sig` of the package, by whoever trained it; None where there is no judge."""


class DeviceKeysRead(Answer):
    """Public keys for an app to pin when it is built: base64 of their 32 bytes, by key id."""

    releases: dict[str, str]
    """Who says which version is in force: this API."""
    packages: dict[str, str]
    """Who may sign a version's package: whoever trains."""


class KnownScam(Wire):
    """A scam that reviewers have decided, as phones know it: nobody can read its message from it.

    See `shield.device.known`.
    """

    sketch: list[int]
    """16 numbers of 32 bits."""
    hosts: list[int]
    """Of the hosts of its links, 32 bits each; empty: it had none."""
    any_host: bool
    """Its words with another host are a reason to hesitate."""
    reporters: int
    """People who had reported it."""
    decided_on: date


class KnownStatement(Wire):
    """The scams that phones answer by themselves, as reviewers have decided them. Signed."""

    format: str = "shield-known-1"
    scan_type: ScanType
    number: int
    """Rises with every change, an undo included. Whoever has a higher one keeps that."""
    until: str
    """A phone that has heard of nothing newer until then believes it no longer."""
    normaliser: str
    salt: int
    """Goes into every number, 32 bits."""
    entries: list[KnownScam]


class DeviceKnownRead(Answer):
    """Known scams for phones, and the signature that a phone checks before it believes them."""

    statement: str
    """JSON of `KnownStatement`, the exact text that is signed."""
    key_id: str
    signature: str
    """Base64, Ed25519 by the API's key over `antispam-shield: known scams for phones`, a line feed
    and the statement."""


class DeviceCounts(Wire):
    """What phones have said lately, without a text: some scans of one version, counted together."""

    version: VersionName
    harmless: Annotated[int, Field(ge=0, le=10_000)]
    scam: Annotated[int, Field(ge=0, le=10_000)]
    unsure: Annotated[int, Field(ge=0, le=10_000)]

    @model_validator(mode="after")
    def _tells_of_nobody(self) -> Self:
        total = self.harmless + self.scam + self.unsure
        if total < FEWEST_SCANS:
            raise ValueError(
                f"{total} scans are too few to be counted together; wait for {FEWEST_SCANS}"
            )
        return self


class DeviceVersionCounts(Answer):
    """What is known of one version on phones."""

    version: VersionName
    scans: int
    shares: dict[DeviceAnswer, float] | None
    """Estimated share of each answer, the lot taken out; None before the first count."""
    judged_again: int
    """Messages that the server has judged as well, because a person asked or reported."""
    disagreed: int
    """Of these, how many it judged differently."""


class DeviceReport(Wire):
    """A person's word on a message that their phone has judged."""

    scan_type: ScanType
    text: MessageText
    actual_label: Annotated[str, Field(pattern=r"^[a-z]{1,16}$")]
    """What the message really is."""
    comment: Note | None = None
    device: DeviceOpinion


class DeviceReportRead(Answer):
    """What became of a report."""

    scan_id: str
    verdict: str
    """The server's."""
    model_version: VersionName
    agrees: bool
    """Whether the server judges as the phone did."""
    feedback_id: str
