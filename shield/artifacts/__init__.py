"""Where packages, batches and datasets are kept: one door, two implementations.

`ArtifactStore` moves bytes under keys; everything above it (digests, trees, packages) is written
once, in `shield.artifacts.content`, and is the same for a directory and for S3.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Protocol


class ArtifactStore(Protocol):
    """Bytes under keys. Keys are relative, `/`-separated and checked (`shield.artifacts.keys`).

    Every write is atomic: a reader sees the old object, or the new one, or none, never a part.
    """

    def put(self, key: str, source: Path | bytes, *, overwrite: bool = False) -> None:
        """Store an object.

        Raises:
            AlreadyExists: The key holds other bytes and `overwrite` is false.
                The same bytes are no error.
            Invalid: `..`, an absolute key, or one that would make an object a folder of others.
            Unavailable: The store does not answer, or has no room.
        """

    def get(self, key: str) -> bytes:
        """Return an object's bytes.

        Raises:
            NotFound: There is no such object.
            Unavailable: The store does not answer. Never raised for a missing object.
        """

    def fetch(self, key: str, destination: Path) -> Path:
        """Copy an object to a file, whole or not at all, and return `destination`.

        Raises as `get`.
        """

    def exists(self, key: str) -> bool:
        """Tell whether there is an object under `key`."""

    def list(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys that start with `prefix`, sorted."""

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
