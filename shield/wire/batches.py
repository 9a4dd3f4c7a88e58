"""Sealed batches and their leases."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shield.crds.base import Wire
from shield.labels import ModelType
from shield.wire.base import Answer, Reason, RunId, VersionName


class BatchStatus(StrEnum):
    """Status of a sealed batch."""

    LEASED = "leased"
    ACKNOWLEDGED = "acknowledged"
    RELEASED = "released"
    EXPIRED = "expired"


class LeaseRequest(Wire):
    """A request to lease the approved corrections of one model type."""

    model_type: ModelType
    run_id: RunId
    minimum: Annotated[int, Field(ge=0, le=1_000_000)] = 50
    """Least number of corrections; fewer are not leased."""
    lease_seconds: Annotated[float, Field(gt=0, le=7 * 86400)] = 3600


class BatchRead(Answer):
    """A sealed batch: an immutable snapshot of corrections."""

    id: str
    """`<model type>-<first 16 hex digits of the snapshot's SHA-256>`."""
    model_type: ModelType
    digest: str
    """SHA-256 of the Parquet file's bytes, `sha256:...`."""
    uri: str
    """Key in the artifact store."""
    count: int
    status: BatchStatus
    run_id: str
    version: str | None = None
    """The version trained on it, once acknowledged."""
    reason: str | None = None
    sealed_at: datetime
    lease_expires_at: datetime | None = None
    acknowledged_at: datetime | None = None


class LeaseResult(Answer):
    """A batch, or `batch` null if there are too few corrections, which is not an error."""

    outcome: Literal["leased", "too_few"]
    count: int
    """Number of rows in the batch; without a batch, the number of free corrections."""
    minimum: int
    unreadable: int = 0
    """Free corrections that were left out, since their messages cannot be decrypted."""
    batch: BatchRead | None = None


class RenewRequest(Wire):
    """A request to extend a lease."""

    run_id: RunId
    lease_seconds: Annotated[float, Field(gt=0, le=7 * 86400)] = 3600


class AckRequest(Wire):
    """An acknowledgement that a version was trained on a batch."""

    run_id: RunId
    version: VersionName


class ReleaseRequest(Wire):
    """A request to release a batch."""

    run_id: RunId
    reason: Reason
