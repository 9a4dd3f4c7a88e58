"""Open the artifact store that a root names."""

from pathlib import Path

from shield.artifacts import ArtifactStore
from shield.artifacts.settings import ArtifactSettings
from shield.errors import Misconfigured


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
