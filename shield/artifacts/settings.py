"""Which artifact store, and how to reach it."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from shield.artifacts import ArtifactStore
from shield.errors import Misconfigured


class ArtifactSettings(BaseSettings):
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


def open_store(
    root: str | Path | None = None, settings: ArtifactSettings | None = None
) -> ArtifactStore:
    """Return the store that `root` names: a path, `file:///path`, or `s3://bucket/prefix`.

    Args:
        root: Wins over `settings.root`.
        settings: Read from the environment when absent.

    Raises:
        Misconfigured: The scheme is not known, or an S3 root names no bucket.
    """
    settings = settings or ArtifactSettings()
    place = str(root) if root is not None else settings.root
    scheme, separator, rest = place.partition("://")
    if not separator or scheme == "file":
        from shield.artifacts.directory import DirectoryStore

        return DirectoryStore(Path(rest if separator else place))
    bucket, _, prefix = rest.partition("/")
    if scheme != "s3" or not bucket:
        raise Misconfigured(
            f"{place!r} is not an artifact store. "
            "Set SHIELD_ARTIFACTS_ROOT to a directory or to s3://bucket/prefix."
        )
    from shield.artifacts.s3 import S3Store  # only who uses S3 pays for loading boto3

    return S3Store(bucket, prefix.strip("/"), settings)
