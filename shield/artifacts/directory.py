"""The embedded `ArtifactStore`: a directory.

An object is written to a temporary name in the folder where it will live, flushed to the disk, and
only then given its name, so that a reader or a crash never meets half an object.
"""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, NoReturn

from shield.artifacts.files import (
    BLOCK_BYTES,
    explained,
    saving,
    sha256,
    sync_folder,
    temporary_beside,
    to_disk,
)
from shield.artifacts.keys import check_key, check_prefix
from shield.errors import AlreadyExists, Invalid, Misconfigured, NotFound

_NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS}


class DirectoryStore:
    """Objects as files below `root`, which is made when the first object is written."""

    def __init__(self, root: Path) -> None:
        self.root = root.expanduser().absolute()

    def put(self, key: str, source: Path | bytes, *, overwrite: bool = False) -> None:
        """Store an object. See `ArtifactStore.put`."""
        target = self._path(key)
        with explained(f"store {key!r} in {self.root}"):
            self._make_folder(target, key)
            with temporary_beside(target) as stream:
                _copy(source, stream)
                temporary = to_disk(stream)
                if overwrite:
                    temporary.replace(target)
                else:
                    self._name_once(temporary, target, key)
            sync_folder(target.parent)

    def get(self, key: str) -> bytes:
        """Return an object's bytes. See `ArtifactStore.get`."""
        with self._opened(key) as stream, explained(f"read {key!r} from {self.root}"):
            return stream.read()

    def fetch(self, key: str, destination: Path) -> Path:
        """Copy an object to a file. See `ArtifactStore.fetch`."""
        with self._opened(key) as stream, saving(destination) as copy:
            shutil.copyfileobj(stream, copy, BLOCK_BYTES)
        return destination

    def exists(self, key: str) -> bool:
        """Tell whether there is an object under `key`."""
        with explained(f"look for {key!r} in {self.root}"):
            return self._path(key).is_file()

    def list(self, prefix: str = "") -> Iterator[str]:
        """Yield the keys that start with `prefix`, sorted by their UTF-8 bytes, as S3 sorts."""
        folder = check_prefix(prefix).rpartition("/")[0]
        start = self._path(folder) if folder else self.root
        with explained(f"list {self.root}"):
            keys = [key for key in self._walk(start) if key.startswith(prefix)]
        yield from sorted(keys, key=str.encode)

    def delete(self, key: str) -> None:
        """Remove an object; a missing one is no error."""
        path = self._path(key)
        missing = (FileNotFoundError, NotADirectoryError, IsADirectoryError)
        with explained(f"remove {key!r} from {self.root}"), suppress(*missing):
            path.unlink()
            sync_folder(path.parent)

    def _path(self, key: str) -> Path:
        path = self.root / check_key(key)
        # A symbolic link that somebody put below the root must not lead out of it.
        if not path.resolve().is_relative_to(self.root.resolve()):
            raise Invalid(f"{key!r} leads out of {self.root}. Remove the symbolic link on its way.")
        return path

    def _make_folder(self, target: Path, key: str) -> None:
        # mkdir meets an object where a folder should be, or the reverse: S3 would take both.
        with suppress(FileExistsError, NotADirectoryError):
            target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir() or not target.parent.is_dir():
            raise Invalid(
                f"{key!r} cannot be stored: an object cannot be the folder of others. "
                "Choose a key that is no leading part of another one."
            )

    def _name_once(self, temporary: Path, target: Path, key: str) -> None:
        try:
            os.link(temporary, target)  # unlike a rename, this fails when the name is taken
        except FileExistsError:
            if sha256(temporary) != sha256(target):
                raise AlreadyExists(
                    f"{key!r} exists in {self.root} with other content, and objects are immutable. "
                    "Store the new content under a name of its own."
                ) from None
        except OSError as error:
            if error.errno not in _NO_HARD_LINKS:
                raise
            raise Misconfigured(
                f"The file system of {self.root} has no hard links, which immutable objects need. "
                "Point SHIELD_ARTIFACTS_ROOT to a local disk or to s3://bucket/prefix."
            ) from error

    @contextmanager
    def _opened(self, key: str) -> Iterator[BinaryIO]:
        path = self._path(key)
        with explained(f"read {key!r} from {self.root}"):
            try:
                stream = path.open("rb")
            except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
                raise NotFound(
                    f"There is no object {key!r} in the artifact store {self.root}. "
                    "Check the key, and that SHIELD_ARTIFACTS_ROOT names the right store."
                ) from None
        with stream:
            yield stream

    def _walk(self, start: Path) -> Iterator[str]:
        if not start.is_dir():
            return
        for folder, folders, files in os.walk(start, onerror=_raise):
            folders[:] = [name for name in folders if not name.startswith(".")]
            for name in files:
                if not name.startswith("."):  # half-written, or not ours
                    yield (Path(folder) / name).relative_to(self.root).as_posix()


def _raise(error: OSError) -> NoReturn:
    raise error


def _copy(source: Path | bytes, target: BinaryIO) -> None:
    if isinstance(source, bytes):
        target.write(source)
        return
    with source.open("rb") as stream:
        shutil.copyfileobj(stream, target, BLOCK_BYTES)
