"""A request to stop that ends every kind of wait at once, one for a descriptor included."""

import os
import select
import threading
import weakref
from typing import Protocol


class Readable(Protocol):
    """What `select` can wait for."""

    def fileno(self) -> int:
        """Return the file descriptor."""


class Stop(threading.Event):
    """An event that is set once, and that can be waited for together with a descriptor."""

    def __init__(self) -> None:
        super().__init__()
        self._told, self._tell = os.pipe()
        weakref.finalize(self, _close, self._told, self._tell)

    def set(self) -> None:
        """Ask to stop, from any thread or signal handler."""
        if not self.is_set():
            super().set()
            os.write(self._tell, b"!")

    def wait_for(self, readable: int | Readable, seconds: float) -> bool:
        """Wait until `readable` can be read, but no longer than `seconds` and not beyond the stop.

        Returns:
            Whether it can be read.
        """
        ready, _, _ = select.select([readable, self._told], [], [], seconds)
        return readable in ready


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
