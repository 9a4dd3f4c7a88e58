"""Wait until something was written to a database, instead of asking it fifty times a second.

SQLite counts the commits of others for each connection (`PRAGMA data_version`), and Linux tells who
asks for it when the files are written (inotify). Whoever waits sleeps until then, and asks the
counter for a while: what is written is committed some milliseconds later, without a word. It is
asked at the end of each wait as well, so that nothing is lost that the system did not tell.

Sources: sqlite.org/pragma.html#pragma_data_version, inotify(7).
"""

import ctypes
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import URL

from shield.stop import Stop

_MODIFIED, _MOVED_HERE, _CREATED = 0x2, 0x80, 0x100
_NONBLOCK_CLOEXEC = os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0)
_PAUSE_SECONDS = 0.02
"""Between two questions where the system does not tell of writes."""
_COMMITTED_SECONDS, _SOON_SECONDS = 0.25, 0.005
"""What is written is committed within this time as a rule, and asked for so often until then."""


class Changes:
    """Tells whether a database may have changed since it was last asked. One thread's own.

    Args:
        url: Of the database.
        sleep: Waits where the system does not tell of writes.
        stop: Ends each wait once it is set.
    """

    def __init__(
        self,
        url: URL,
        sleep: Callable[[float], None] = time.sleep,
        stop: Stop | None = None,
    ) -> None:
        file = url.database if url.get_backend_name() == "sqlite" else None
        self._file = None if file in (None, "", ":memory:") else Path(file or "")
        self._sleep = sleep
        self._stop = stop or Stop()
        self._connection: sqlite3.Connection | None = None
        self._version = -1
        self._told: int | None = None
        self._written = -_COMMITTED_SECONDS

    def wait(self, seconds: float) -> bool:
        """Wait for a change, but not longer; return whether there may have been one.

        Where nobody counts (PostgreSQL, a database in memory) it says yes at once.
        """
        if self._file is None:
            return True
        until = time.monotonic() + seconds
        while not (changed := self._changed(self._file)):
            left = until - time.monotonic()
            if left <= 0 or self._stop.is_set():
                break
            self._pause(left)
        return changed

    def close(self) -> None:
        """Close what is open; the next wait opens it again, and says yes."""
        connection, self._connection, self._version = self._connection, None, -1
        if connection is not None:
            connection.close()
        if self._told is not None:
            os.close(self._told)
            self._told = None

    def _changed(self, file: Path) -> bool:
        try:
            if self._connection is None:
                self._told = _told_of_writes(file.parent)
                self._connection = sqlite3.connect(file, isolation_level=None)
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
        except sqlite3.Error:
            self.close()
            self._sleep(_PAUSE_SECONDS)
            return True  # whoever looks is told what is wrong
        before, self._version = self._version, int(version)
        return self._version != before

    def _pause(self, seconds: float) -> None:
        """Sleep until something in the folder is written."""
        if self._told is None:
            self._sleep(min(_PAUSE_SECONDS, seconds))
        elif time.monotonic() - self._written < _COMMITTED_SECONDS:
            self._sleep(min(_SOON_SECONDS, seconds))
        elif self._stop.wait_for(self._told, seconds):
            os.read(self._told, 65536)
            self._written = time.monotonic()


def _told_of_writes(folder: Path) -> int | None:
    """Return a descriptor that can be read once something in `folder` is written, on Linux."""
    if sys.platform != "linux":
        return None
    system = ctypes.CDLL(None, use_errno=True)
    told: int = system.inotify_init1(_NONBLOCK_CLOEXEC)
    if told < 0:
        return None
    if system.inotify_add_watch(told, os.fsencode(folder), _MODIFIED | _MOVED_HERE | _CREATED) < 0:
        os.close(told)
        return None
    return told
