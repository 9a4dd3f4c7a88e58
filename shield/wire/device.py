"""The model on the phone: its release, counts of its verdicts, and reports about them."""

from datetime import date
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, model_validator

from shield.crds.base import Wire
from shield.labels import Certainty, ModelType, ScanType
from shield.wire.base import Answer, MessageText, Note, VersionName

FEWEST_SCANS = 20
"""Fewest scans per count, so that a count does not reveal single messages."""
KEPT_SHARE = 0.75
"""Probability that a phone counts the true answer; otherwise it counts a random one of three."""


class DeviceAnswer(StrEnum):
    """An answer of the phone to its user."""

    HARMLESS = "harmless"
    SCAM = "scam"
    UNSURE = "unsure"


class DeviceOpinion(Wire):
    """The phone's own verdict on a message."""

    version: VersionName
    verdict: Annotated[str, Field(pattern=r"^[a-z]{1,16}$")]
    """A label of the model type, as a scan's `verdict`."""
    certainty: Certainty


class ReleaseStatement(Wire):
    """The version for phones. The API signs the JSON of this object."""

    format: str = "shield-release-1"
    scan_type: ScanType
    model_type: ModelType
    number: int
    """Increases with every change, an undo included. A phone refuses lower numbers than it has
    seen."""
    version: VersionName
    package: str
    """`sha256:` digest of the manifest of the version's package."""
    judge: bool
    """Whether the version has a model for phones; without one, phones ask the server."""
    issued_at: str


class DeviceReleaseRead(Answer):
    """The release statement with the signatures that a phone verifies."""

    statement: str
    """JSON of `ReleaseStatement`, the exact text that is signed."""
    key_id: str
    signature: str
    """Base64, Ed25519 by the API's key over `antispam-shield: release for phones`, a line feed and
    the statement."""
    package_signature: str | None
    """`manifest.sig` of the package, signed with the training key; null without a model."""


class DeviceKeysRead(Answer):
    """Public keys that an app pins at build time: base64 of 32 bytes, by key id."""

    releases: dict[str, str]
    """Keys of release statements, owned by this API."""
    packages: dict[str, str]
    """Keys of packages, owned by the training."""


class DeviceFile(Answer):
    """A file that a phone may load."""

    name: str
    bytes: int
    """Size of the download, a gzip archive of the file."""


class DeviceEncoderRead(Answer):
    """What a phone loads to judge as exactly as the server does."""

    files: list[DeviceFile]
    """Files of the version's package, whose manifest has their digests; empty if the version or
    this server offers no encoder."""


class KnownScam(Wire):
    """A decided scam as a sketch for phones, from which its message cannot be read.

    See `shield.device.known`.
    """

    sketch: list[int]
    """16 numbers of 32 bits."""
    hosts: list[int]
    """Hashes of the hosts of its links, 32 bits each; empty without links."""
    any_host: bool
    """Whether the same words with another host are shown as unsure."""
    reporters: int
    """Number of reporters."""
    decided_on: date


class KnownStatement(Wire):
    """Decided scams that phones recognise by themselves. The API signs the JSON of this object."""

    format: str = "shield-known-1"
    scan_type: ScanType
    number: int
    """Increases with every change, an undo included. A phone keeps the highest number."""
    until: str
    """Expiry: a phone does not use the list afterwards."""
    normaliser: str
    salt: int
    """Salt of all hashes, 32 bits."""
    entries: list[KnownScam]


class DeviceKnownRead(Answer):
    """Known scams for phones with the signature that a phone verifies."""

    statement: str
    """JSON of `KnownStatement`, the exact text that is signed."""
    key_id: str
    signature: str
    """Base64, Ed25519 by the API's key over `antispam-shield: known scams for phones`, a line feed
    and the statement."""


class DeviceCounts(Wire):
    """Counts of a phone's recent scans by one version, without their texts."""

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
    """Counts of one version on phones."""

    version: VersionName
    scans: int
    shares: dict[DeviceAnswer, float] | None
    """Estimated share of each answer, corrected for random ones; null before the first count."""
    judged_again: int
    """Messages that the server has judged too, after a request or a report."""
    disagreed: int
    """Number of these on which the server disagreed."""


class DeviceReport(Wire):
    """A report about a message that the phone has judged."""

    scan_type: ScanType
    text: MessageText
    actual_label: Annotated[str, Field(pattern=r"^[a-z]{1,16}$")]
    """True label of the message."""
    comment: Note | None = None
    device: DeviceOpinion


class DeviceReportRead(Answer):
    """The result of a report."""

    scan_id: str
    verdict: str
    """The server's verdict."""
    model_version: VersionName
    agrees: bool
    """Whether the server agrees with the phone."""
    feedback_id: str
