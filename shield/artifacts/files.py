"""Whole files or none: what both stores need of the local disk."""

import errno
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from shield.errors import Misconfigured, Unavailable

BLOCK_BYTES = 1 << 20
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSED = {errno.EACCES, errno.EPERM, errno.EROFS}


def sha256(source: Path | bytes) -> str:
    """Return the SHA-256 of a file (read in blocks) or of bytes, as 64 hex characters."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).hexdigest()
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextmanager
def temporary_beside(target: Path) -> Iterator[BinaryIO]:
    """Open a new hidden file beside `target`; it is gone afterwards unless it was renamed.

    The same folder, because a rename is atomic only within one file system.
    """
    temporary = target.parent / f".{uuid4().hex}.part"
    try:
        with temporary.open("xb") as stream:
            yield stream
    finally:
        temporary.unlink(missing_ok=True)


def to_disk(stream: BinaryIO) -> Path:
    """Flush `stream` to the disk and return its path."""
    stream.flush()
    os.fsync(stream.fileno())
    return Path(stream.name)


@contextmanager
def saving(destination: Path) -> Iterator[BinaryIO]:
    """Write `destination` whole or not at all, replacing what was there; make its folder.

    Raises:
        Unavailable: The disk is full or fails.
        Misconfigured: The folder may not be written.
    """
    with explained(f"write {destination}"):
        destination.parent.mkdir(parents=True, exist_ok=True)
        with temporary_beside(destination) as stream:
            yield stream
            to_disk(stream).replace(destination)


def sync_folder(folder: Path) -> None:
    """Make the names in `folder` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def explained(doing: str) -> Iterator[None]:
    """Turn an error of the operating system while `doing` something into ours, with the cure."""
    try:
        yield
    except FileNotFoundError:
        raise  # the caller's own file: its traceback says more than we could
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise Unavailable(
                f"No room left to {doing}. Free some space, or raise the quota, and try again; "
                "nothing half-written was left behind."
            ) from error
        if error.errno in _REFUSED:
            raise Misconfigured(
                f"Not allowed to {doing} ({error.strerror}). Give this user read and write access, "
                "or choose another directory with SHIELD_ARTIFACTS_ROOT."
            ) from error
        raise Unavailable(
            f"Could not {doing}: {error.strerror or error}. Check the disk and try again."
        ) from error
