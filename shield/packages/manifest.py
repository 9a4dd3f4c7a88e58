"""`manifest.json`: what a model package is, and the digest of every file in it."""

import hashlib
import json
import math
import re
from datetime import datetime
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import Field, ValidationError, field_validator, model_validator

from shield.crds.base import Wire
from shield.errors import PackageInvalid
from shield.labels import LABELS, ModelType
from shield.metrics.certainty import WITHOUT_PROOF
from shield.text import DEFAULT_NORMALISER

Format = Literal[1, 2, 3, 4]
"""2: the package says by `margin` where its operating point lies, and may hold a linear half.
3: it says by `band` which verdicts are sure, and may hold a linear half alone.
4: it says by `cascade` which messages the linear half answers alone."""
FORMAT_VERSION = max(get_args(Format))
"""The newest that this release reads."""

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
INT8_MODEL = "model.int8.onnx"
FP32_MODEL = "model.onnx"
WEIGHTS = "model.safetensors"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
SAMPLES = "samples.json"
LINEAR = "linear.safetensors"
CARD = "card.md"

REQUIRED = (FP32_MODEL, INT8_MODEL, WEIGHTS, CONFIG, TOKENIZER, SAMPLES)
REQUIRED_OF_LINEAR = (LINEAR, SAMPLES)
"""Of a package without an encoder."""
# Formats that hold data only. Pickles and scripts run code when they are opened, so they are not
# here.
_SUFFIXES = (".onnx", ".safetensors", ".json", ".md", ".html", ".txt", ".csv", ".png", ".svg")
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,126}")
_SHA256 = re.compile(r"[0-9a-f]{64}")

Digest = Annotated[str, Field(pattern=r"^sha256:[0-9a-f]{64}$")]


class Preprocessing(Wire):
    """How a message becomes rows of token ids."""

    normaliser: str = DEFAULT_NORMALISER
    """A name in `shield.text.NORMALISERS`."""
    max_tokens: Annotated[int, Field(ge=8, le=8192)] = 128
    """Longest row, in tokens, with the tokenizer's special tokens.

    A longer text is cut in windows.
    """
    window_overlap: Annotated[int, Field(ge=0)] = 32
    """Tokens that two neighbouring windows share, so that no phrase is cut in two everywhere."""
    max_windows: Annotated[int, Field(ge=1, le=4096)] = 16
    """Most windows of one text.

    Of a longer one, this many are taken, evenly spread, first and last included.
    """
    aggregation: Literal["max", "mean"] = "max"
    """How the windows' probabilities become the text's: `max`, because one passage makes a scam."""

    @model_validator(mode="after")
    def _windows_advance(self) -> Self:
        if self.window_overlap >= self.max_tokens - 2:
            raise ValueError(
                f"windowOverlap ({self.window_overlap}) must be less than maxTokens - 2 "
                f"({self.max_tokens - 2})"
            )
        return self


class Margin(Wire):
    """How a text's margin follows from what the halves of the predictor say.

    `encoder` x the encoder's log odds + `linear` x the linear model's + `bias`. Zero is the
    operating point: a message at or above it is flagged. The farther, the surer: the logistic
    function of the margin is the probability that people are shown, one half at the operating point
    of every version.
    """

    encoder: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """0: the package has no encoder."""
    linear: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """0: the package has no linear half."""
    bias: Annotated[float, Field(allow_inf_nan=False)] = 0.0

    @model_validator(mode="after")
    def _predicts(self) -> Self:
        if self.encoder == 0 and self.linear == 0:
            raise ValueError("encoder or linear must be greater than 0: nothing would predict")
        return self


class Band(Wire):
    """How far from the operating point a verdict is sure, in the unit of the margin.

    Set where the operating point is: `shield.metrics.band`.
    """

    harmless: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """A message that is not flagged is surely harmless if its margin is below the negative of
    this."""
    scam: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """A message is surely a scam if its margin is above this."""


class Alone(Wire):
    """Messages of one side that the linear half answers alone, without the encoder."""

    beyond: Annotated[float, Field(allow_inf_nan=False)]
    """The linear half's log odds from which it does: at most this on the harmless side, at least
    this on the scams' side."""
    encoder: Annotated[float, Field(allow_inf_nan=False)]
    """Mean log odds of the encoder for such messages: used in the margin instead of its answer."""


class Cascade(Wire):
    """The messages whose verdict the linear half settles: most of what is ordinary.

    The encoder costs a hundred times as much. The bounds are set on the messages that set the
    operating point: see `components.train.cascade`.
    """

    harmless: Alone | None = None
    scam: Alone | None = None

    @model_validator(mode="after")
    def _apart(self) -> Self:
        # A text without words has linear log odds of 0, and belongs to neither side.
        if self.harmless is not None and self.harmless.beyond >= 0:
            raise ValueError("harmless.beyond must be less than 0")
        if self.scam is not None and self.scam.beyond <= 0:
            raise ValueError("scam.beyond must be greater than 0")
        return self


FALLBACK_BAND = Band(harmless=WITHOUT_PROOF, scam=WITHOUT_PROOF)
"""Of packages without a band, which earlier releases made: sure from a confidence of .9 on."""


class Manifest(Wire):
    """What a model package is.

    Immutable once packed: its bytes' SHA-256 is the version's identity.
    """

    format_version: Format = 1
    model_type: ModelType
    labels: Annotated[list[str], Field(min_length=2, max_length=2)] = []
    """Negative, then positive: the order of the model's output columns.

    Follows from `model_type`.
    """
    threshold: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """Of packages without `margin`, which earlier releases made: the encoder's probability that the
    operating point lies at."""
    margin: Margin | None = None
    band: Band | None = None
    cascade: Cascade | None = None
    """None: both halves read every message."""
    preprocessing: Preprocessing = Preprocessing()
    files: dict[str, str] = {}
    """File name -> SHA-256, hexadecimal. Filled in by `pack`."""
    parent: Digest | None = None
    """Digest of the version it was fine-tuned from."""
    batches: list[str] = []
    """Feedback batches it has learned from, itself and by its parents."""
    run_id: str | None = None
    recipe: dict[str, Any] = {}
    """How it was trained: base, seed, epochs, learning rate; enough to do it again."""
    metrics: dict[str, float] = {}
    created_at: datetime | None = None
    """Passed in, never read from a clock: packing the same things twice gives the same digest."""

    @field_validator("created_at")
    @classmethod
    def _aware(cls, value: datetime | None) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError("createdAt needs a time zone; use UTC")
        return value

    @field_validator("files")
    @classmethod
    def _plain_names(cls, files: dict[str, str]) -> dict[str, str]:
        for name, digest in files.items():
            check_file_name(name)
            if not _SHA256.fullmatch(digest):
                raise ValueError(f"the digest of {name} is not 64 hexadecimal digits")
        return files

    @model_validator(mode="after")
    def _labels_of_the_type(self) -> Self:
        expected = list(LABELS[self.model_type])
        if self.labels and self.labels != expected:
            raise ValueError(
                f"labels of {self.model_type} models are {expected}, not {self.labels}"
            )
        self.labels = expected
        return self

    @model_validator(mode="after")
    def _format_follows(self) -> Self:
        if self.margin is not None:
            self.format_version = max(self.format_version, 2)
        if self.band is not None or not self.has_encoder:
            self.format_version = max(self.format_version, 3)
        if self.cascade is not None:
            if not self.has_encoder or not self.settled_margin().linear:
                raise ValueError("cascade needs both an encoder and a linear half")
            self.format_version = 4
        return self

    @property
    def has_encoder(self) -> bool:
        """Tell whether a transformer is part of it; else the linear model predicts alone."""
        return self.margin is None or self.margin.encoder > 0

    def halves(self) -> list[str]:
        """Return what predicts: `encoder`, `linear` or both."""
        encoder = ["encoder"] if self.has_encoder else []
        return [*encoder, *(["linear"] if self.settled_margin().linear else [])]

    def required_files(self) -> tuple[str, ...]:
        """Return the names of the files that the package cannot do without."""
        return REQUIRED if self.has_encoder else REQUIRED_OF_LINEAR

    def settled_band(self) -> Band:
        """Return `band`; of a package without one, that of earlier releases."""
        return self.band or FALLBACK_BAND

    def settled_margin(self) -> Margin:
        """Return `margin`; of a package without one, what its threshold comes to."""
        if self.margin is not None:
            return self.margin
        return Margin(encoder=1.0, bias=-math.log(self.threshold / (1 - self.threshold)))

    def to_bytes(self) -> bytes:
        """Return the canonical JSON: sorted keys, one form for one content."""
        document = self.model_dump(mode="json", by_alias=True)
        return (
            json.dumps(document, sort_keys=True, ensure_ascii=False, indent=1, allow_nan=False)
            + "\n"
        ).encode()

    @classmethod
    def from_bytes(cls, raw: bytes, origin: str) -> "Manifest":
        """Read a manifest; `origin` names it in the error.

        Raises:
            PackageInvalid: Not JSON, a newer format, unknown or wrong fields.
        """
        try:
            document = json.loads(raw)
            version = document.get("formatVersion") if isinstance(document, dict) else None
            if isinstance(version, int) and version > FORMAT_VERSION:
                raise PackageInvalid(
                    f"{origin} has format {version}; this release reads up to {FORMAT_VERSION}. "
                    "Upgrade antispam-shield to load it."
                )
            return cls.model_validate(document)
        except (ValueError, ValidationError) as error:
            first = error.errors()[0] if isinstance(error, ValidationError) else None
            why = f"{'.'.join(map(str, first['loc']))}: {first['msg']}" if first else str(error)
            raise PackageInvalid(
                f"{origin} is not a model package's manifest ({why}). Pack it again from the "
                "training output."
            ) from error


def digest_of(raw: bytes) -> str:
    """Return `sha256:<hex>` of manifest bytes: the identity of a model version."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def check_file_name(name: str) -> str:
    """Return `name` if it is a plain file name of a format that holds only data.

    Raises:
        ValueError: It could leave its folder, or its format could run code when opened.
    """
    if not _FILE_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a plain file name")
    if not name.endswith(_SUFFIXES):
        raise ValueError(
            f"{name!r} is not of a format that holds only data ({', '.join(_SUFFIXES)})"
        )
    return name
