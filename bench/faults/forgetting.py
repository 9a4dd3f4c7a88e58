"""A filesystem that forgets what was not synced: `python -m bench.faults.forgetting CACHE DISK AT`.

Writes go to CACHE. What a caller syncs goes to DISK; of the rest each write reaches the disk, or
does not, by the toss of a coin: a drive keeps no order between two syncs. Changes of names are
journalled in order and reach the disk with the next sync of anything, as ext4 and XFS do it. To cut
the power, kill whoever writes and this process, throw CACHE away, and mount a copy of DISK.

While the file `AT/../fault` names an error (`ENOSPC`, `EROFS`, `EIO`), every change fails with it.
"""

import errno
import os
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mfusepy import FUSE, FuseOSError, Operations

from bench.ending import end_in_order

_PAGE = 4096


class Forgetting(Operations):  # type: ignore[misc]
    """Passes everything on to `cache`, and to `disk` what was synced."""

    use_ns = True

    def __init__(self, cache: Path, disk: Path, fault: Path, seed: int) -> None:
        self._cache, self._disk, self._fault = cache, disk, fault
        self._journal: list[Callable[[], None]] = []
        self._dirty: dict[str, set[int]] = {}
        self._luck = random.Random(seed)

    # Reading.

    def access(self, path: str, amode: int) -> int:
        """Permit everything: the mount is the owner's alone."""
        return 0

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:
        """Return what `stat` tells."""
        found = self._at(path).lstat()
        names = ("st_mode", "st_nlink", "st_size", "st_uid", "st_gid", "st_ino")
        told = {name: getattr(found, name) for name in names}
        return told | {f"st_{kind}time": getattr(found, f"st_{kind}time_ns") for kind in "amc"}

    def readdir(self, path: str, fh: int) -> list[str]:
        """Return the names in a directory."""
        return [".", "..", *(each.name for each in self._at(path).iterdir())]

    def open(self, path: str, flags: int) -> int:
        """Open a file."""
        if flags & (os.O_WRONLY | os.O_RDWR):
            self._may_change()
        return os.open(self._at(path), flags)

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:
        """Read a part of a file."""
        return os.pread(fh, size, offset)

    def release(self, path: str, fh: int) -> int:
        """Close a file; that syncs nothing."""
        os.close(fh)
        return 0

    def statfs(self, path: str) -> dict[str, int]:
        """Return what `df` tells."""
        found = os.statvfs(self._at(path))
        names = ("f_bavail", "f_bfree", "f_blocks", "f_bsize", "f_files", "f_frsize", "f_namemax")
        return {name: getattr(found, name) for name in names}

    # Changing.

    def create(self, path: str, mode: int, fi: Any = None) -> int:
        """Make a file."""
        self._may_change()
        opened = os.open(self._at(path), os.O_RDWR | os.O_CREAT, mode)
        self._later(lambda: self._on_disk(path).touch(mode))
        return opened

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:
        """Write a part of a file."""
        self._may_change()
        done = os.pwrite(fh, data, offset)
        pages = set(range(offset // _PAGE, (offset + max(done, 1) - 1) // _PAGE + 1))
        self._dirty.setdefault(path, set()).update(pages)
        self._flush(path, {page for page in pages if self._luck.random() < 0.5})
        return done

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        """Cut a file to a length."""
        self._may_change()
        os.truncate(self._at(path), length)
        if self._luck.random() < 0.5:
            self._cut(path, length)

    def fsync(self, path: str, datasync: int, fh: int) -> int:
        """Bring a file, and all names so far, to the disk."""
        self._may_change()
        while self._journal:
            self._journal.pop(0)()
        self._cut(path, self._at(path).stat().st_size)
        self._flush(path, self._dirty.get(path, set()))
        return 0

    def fsyncdir(self, path: str, datasync: int, fh: int) -> int:
        """Bring all names so far to the disk."""
        while self._journal:
            self._journal.pop(0)()
        return 0

    def rename(self, old: str, new: str) -> None:
        """Give a file another name."""
        self._may_change()
        self._at(old).rename(self._at(new))
        if old in self._dirty:
            self._dirty[new] = self._dirty.pop(old)
        self._later(lambda: self._replace(old, new))

    def unlink(self, path: str) -> None:
        """Remove a file."""
        self._may_change()
        self._at(path).unlink()
        self._dirty.pop(path, None)
        self._later(lambda: self._on_disk(path).unlink(missing_ok=True))

    def mkdir(self, path: str, mode: int) -> None:
        """Make a directory."""
        self._may_change()
        self._at(path).mkdir(mode)
        self._later(lambda: self._on_disk(path).mkdir(mode, exist_ok=True))

    def rmdir(self, path: str) -> None:
        """Remove a directory."""
        self._may_change()
        self._at(path).rmdir()
        self._later(lambda: shutil.rmtree(self._on_disk(path), ignore_errors=True))

    def chmod(self, path: str, mode: int) -> None:
        """Change who may use a file."""
        self._at(path).chmod(mode)

    def utimens(self, path: str, times: Any = None) -> None:
        """Set a file's times."""
        os.utime(self._at(path), ns=times)

    def _at(self, path: str) -> Path:
        return Path(f"{self._cache}{path}")

    def _on_disk(self, path: str) -> Path:
        return Path(f"{self._disk}{path}")

    def _replace(self, old: str, new: str) -> None:
        self._on_disk(old).replace(self._on_disk(new))

    def _may_change(self) -> None:
        try:
            name = self._fault.read_text().strip()
        except FileNotFoundError:
            return
        if name:  # not while the file is being written
            raise FuseOSError(getattr(errno, name))

    def _later(self, change: Callable[[], None]) -> None:
        self._journal.append(change)
        if self._luck.random() < 0.5:
            self.fsyncdir("", 0, 0)

    def _cut(self, path: str, length: int) -> None:
        if self._on_disk(path).exists():
            os.truncate(self._on_disk(path), length)

    def _flush(self, path: str, pages: set[int]) -> None:
        """Copy pages to the disk, where the file's name has reached it."""
        if not pages or not self._on_disk(path).exists():
            return
        with self._at(path).open("rb") as source, self._on_disk(path).open("r+b") as target:
            for page in sorted(pages):
                data = os.pread(source.fileno(), _PAGE, page * _PAGE)
                os.pwrite(target.fileno(), data, page * _PAGE)
        self._dirty.get(path, set()).difference_update(pages)


def main() -> None:
    """Serve until killed."""
    cache, disk, at, seed = sys.argv[1:5]
    fault = Path(at).parent / "fault"
    FUSE(
        Forgetting(Path(cache), Path(disk), fault, int(seed)),
        at,
        foreground=True,
        nothreads=True,
        allow_other=False,
        attr_timeout=0,
    )


if __name__ == "__main__":
    end_in_order()
    main()
