"""Which artifact store, and how to reach it."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shield.environment import Settings


class ArtifactSettings(Settings):
    """Where model packages and feedback batches are kept."""

    model_config = SettingsConfigDict(env_prefix="SHIELD_ARTIFACTS_", use_attribute_docstrings=True)

    root: str = str(Path.home() / ".local/share/antispam-shield/artifacts")
    """A directory, or `s3://bucket/prefix`. The scheme picks the store; nothing else changes."""

    endpoint_url: str | None = None
    """S3 endpoint for anything that is not AWS, e.g. `http://seaweedfs:8333`."""

    region: str = "us-east-1"
    """S3 region. Stores that are not AWS accept any."""

    connect_timeout_seconds: float = Field(default=5.0, gt=0)
    """An object store that does not take the connection by then is away."""

    read_timeout_seconds: float = Field(default=30.0, gt=0)
    """One read longer than this has failed. Raise it for a slow bucket, not for a large model."""

    attempts: int = Field(default=4, ge=1)
    """Tries of one S3 request, with growing pauses between them, before it is an outage."""
