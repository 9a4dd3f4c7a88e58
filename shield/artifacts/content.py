"""Content addressing, once, above any store: names are digests, and every read is checked."""

from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

from shield.artifacts import ArtifactStore
from shield.artifacts.files import sha256
from shield.errors import ArtifactCorrupt


class Stored(NamedTuple):
    """An object that was stored under its own digest."""

    key: str
    digest: str
    size: int
    """In bytes."""


def digest_of(source: Path | bytes) -> str:
    """Return `sha256:` and 64 hex characters for a file or bytes."""
    return f"sha256:{sha256(source)}"


def put_file(store: ArtifactStore, folder: str, source: Path | bytes, suffix: str = "") -> Stored:
    """Store bytes as `<folder>/<sha256><suffix>`; repeating it is free of harm."""
    digest = sha256(source)
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    key = f"{folder}/{digest}{suffix}"
    store.put(key, source)
    return Stored(key, f"sha256:{digest}", size)


def fetch_verified(
    store: ArtifactStore,
    key: str,
    destination: Path,
    digest: str,
    *,
    corrupt: type[ArtifactCorrupt] = ArtifactCorrupt,
) -> Path:
    """Copy an object to `destination` and make sure that it is what `digest` names.

    A destination that already holds those bytes is kept: a cache costs one read of the disk.

    Args:
        store: Where from.
        key: What.
        destination: A file; its folder is made. On a mismatch it does not come into being.
        digest: `sha256:` and 64 hex characters, or the hex characters alone.
        corrupt: The error to raise on a mismatch.

    Raises:
        ArtifactCorrupt: Other bytes came; `corrupt` to be exact.
        NotFound: There is no such object.
    """
    expected = digest.removeprefix("sha256:")
    if destination.is_file() and sha256(destination) == expected:
        return destination
    fetched = destination.with_name(f".{uuid4().hex}.unverified")
    try:
        actual = sha256(store.fetch(key, fetched))
        if actual != expected:
            raise corrupt(
                f"{key} hashes to sha256:{actual[:12]}…, but sha256:{expected[:12]}… was asked "
                "for. Refusing to use it. Restore the object from a backup, or store it again."
            )
        fetched.replace(destination)
    finally:
        fetched.unlink(missing_ok=True)
    return destination
