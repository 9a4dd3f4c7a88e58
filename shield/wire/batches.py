"""Sealed batches and their leases."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from shield.crds.base import Wire
from shield.labels import ModelType
from shield.wire.base import Answer, Reason, RunId, VersionName


class BatchStatus(StrEnum):
    """The life of a sealed batch."""

    LEASED = "leased"
    ACKNOWLEDGED = "acknowledged"
    RELEASED = "released"
    EXPIRED = "expired"


class LeaseRequest(Wire):
    """Ask for the approved corrections of one model type."""

    model_type: ModelType
    run_id: RunId
    minimum: Annotated[int, Field(ge=0, le=1_000_000)] = 50
    """Fewer than this are left to gather."""
    lease_seconds: Annotated[float, Field(gt=0, le=7 * 86400)] = 3600


class BatchRead(Answer):
    """A sealed batch: a snapshot that never changes."""

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
    """The version that learned from it, once acknowledged."""
    reason: str | None = None
    sealed_at: datetime
    lease_expires_at: datetime | None = None
    acknowledged_at: datetime | None = None


class LeaseResult(Answer):
    """A batch, or the news that there is too little to learn from. Neither is an error."""

    outcome: Literal["leased", "too_few"]
    count: int
    """Rows of the batch; where they are too few, the corrections, without confirmations."""
    minimum: int
    batch: BatchRead | None = None


class RenewRequest(Wire):
    """Keep a lease."""

    run_id: RunId
    lease_seconds: Annotated[float, Field(gt=0, le=7 * 86400)] = 3600


class AckRequest(Wire):
    """The corrections have become a version."""

    run_id: RunId
    version: VersionName


class ReleaseRequest(Wire):
    """Give the corrections back."""

    run_id: RunId
    reason: Reason
