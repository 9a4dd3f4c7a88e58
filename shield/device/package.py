"""A version's judge for phones as files of its package: `device.json` and what that names."""

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError

from shield.crds.base import Wire
from shield.device.model import DeviceModel, Operating, read_weights
from shield.device.tables import tables_json
from shield.errors import PackageInvalid
from shield.labels import LABELS, ModelType
from shield.linear import Features
from shield.packages import ModelPackage
from shield.packages.manifest import digest_of
from shield.packages.package import check_digest

DEVICE = "device.json"
WEIGHTS = "device.safetensors"
CHARACTERS = "characters.json"

Number = Annotated[float, Field(allow_inf_nan=False)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class DeviceManifest(Wire):
    """What a phone must know to judge. Signed with the package: its manifest names this file.

    A phone that does not know `format` or `normaliser` keeps the judge it has.
    """

    format: Literal["shield-device-1", "shield-device-2"] = "shield-device-2"
    """The first reads every text as a whole."""
    model_type: ModelType
    labels: Annotated[list[str], Field(min_length=2, max_length=2)]
    """Harmless, then scam."""
    normaliser: str
    shortest: Annotated[int, Field(ge=1, le=16)]
    longest: Annotated[int, Field(ge=1, le=16)]
    words: Annotated[int, Field(ge=0, le=16)]
    bits: Annotated[int, Field(ge=8, le=24)]
    reach: Annotated[int, Field(ge=0, le=20_000)] = 0
    whole: Annotated[int, Field(ge=0)] = 0
    window_cost: Number = 0.0
    """As `shield.linear.Features`."""
    steps: Annotated[list[Number], Field(min_length=1, max_length=2)]
    log_odds_bias: Number
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    bias: Number
    """Margin = scale x log odds + bias; a message is flagged from 0 on."""
    sure_harmless: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    sure_scam: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """A verdict is sure where the margin is below -`sure_harmless` or above `sure_scam`."""
    files: dict[str, Sha256] = {}
    """File name -> SHA-256, hexadecimal."""

    def to_bytes(self) -> bytes:
        """Return the JSON that is signed: sorted keys, one form for one content."""
        document = self.model_dump(mode="json", by_alias=True)
        return (json.dumps(document, sort_keys=True, indent=1, allow_nan=False) + "\n").encode()

    @classmethod
    def from_bytes(cls, raw: bytes, origin: str) -> "DeviceManifest":
        """Read a manifest. Raises `PackageInvalid`, with `origin` in its words."""
        try:
            return cls.model_validate_json(raw)
        except ValidationError as error:
            first = error.errors()[0]
            raise PackageInvalid(
                f"{origin} does not describe a judge for phones "
                f"({'.'.join(map(str, first['loc']))}: {first['msg']}). Train the version again."
            ) from error

    def model(self, weights: bytes, origin: str) -> DeviceModel:
        """Return the judge, given the bytes of its weights. Raises `PackageInvalid`."""
        features = Features(
            self.shortest,
            self.longest,
            self.bits,
            self.normaliser,
            self.words,
            self.reach,
            self.whole,
            self.window_cost,
        )
        read = read_weights(weights, origin)
        if read.size != features.buckets or len(self.steps) != 1 + (self.words > 0):
            raise PackageInvalid(
                f"{origin} holds {read.size} weights, and its manifest speaks of "
                f"{features.buckets}. Train the version again."
            )
        operating = Operating(self.scale, self.bias, self.sure_harmless, self.sure_scam)
        return DeviceModel(read, tuple(self.steps), self.log_odds_bias, features, operating)


def write_device(model: DeviceModel, model_type: ModelType, folder: Path) -> DeviceManifest:
    """Write a judge into a model package's directory, which is packed and signed afterwards."""
    files = {WEIGHTS: model.weights_file(), CHARACTERS: tables_json()}
    for name, raw in files.items():
        (folder / name).write_bytes(raw)
    manifest = DeviceManifest(
        model_type=model_type,
        labels=list(LABELS[model_type]),
        normaliser=model.features.normaliser,
        shortest=model.features.shortest,
        longest=model.features.longest,
        words=model.features.words,
        bits=model.features.bits,
        reach=model.features.reach,
        whole=model.features.whole,
        window_cost=model.features.window_cost,
        steps=list(model.steps),
        log_odds_bias=model.bias,
        scale=model.operating.scale,
        bias=model.operating.bias,
        sure_harmless=model.operating.harmless,
        sure_scam=model.operating.scam,
        files={name: digest_of(raw).removeprefix("sha256:") for name, raw in files.items()},
    )
    (folder / DEVICE).write_bytes(manifest.to_bytes())
    return manifest


def read_device(package: ModelPackage) -> DeviceModel:
    """Return the judge that a package brings to phones; its files are checked as they are read.

    Raises:
        PackageInvalid: It brings none, or one that this release cannot compute.
        PackageCorrupt: A file has other bytes than those that were signed.
    """
    manifest = DeviceManifest.from_bytes(package.read(DEVICE), str(package.path / DEVICE))
    weights = package.read(WEIGHTS)
    check_digest(str(package.path / WEIGHTS), manifest.files.get(WEIGHTS, ""), weights)
    return manifest.model(weights, str(package.path / WEIGHTS))
