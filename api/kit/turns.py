"""Turns at work that keeps the interpreter busy: one at a time, and few per user."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from shield.errors import RateLimited


class Turns:
    """Admits one caller at a time in this process; others wait for a bounded time.

    Args:
        per_user: Most calls of one user that run or wait. More are refused at once, so that one
            user never holds all threads.
        wait_seconds: Longest wait for a turn.
    """

    def __init__(self, per_user: int, wait_seconds: float) -> None:
        self._per_user = per_user
        self._wait_seconds = wait_seconds
        self._lock, self._running = threading.Lock(), threading.Lock()
        self._present: Counter[str] = Counter()

    @contextmanager
    def taken(self, user: str, what: str) -> Iterator[None]:
        """Hold the turn within the block.

        Raises:
            RateLimited: The user has too many calls present, or the turn did not come in time.
        """
        with self.present(user, what):
            if not self._running.acquire(timeout=self._wait_seconds):
                raise RateLimited(f"Other {what} are running. Try again in a moment.", 2)
            try:
                yield
            finally:
                self._running.release()

    @contextmanager
    def present(self, user: str, what: str) -> Iterator[None]:
        """Count as one that runs or waits within the block. Raises as `taken`."""
        with self._lock:
            if self._present[user] >= self._per_user:
                raise RateLimited(f"{self._per_user} {what} of yours are running. Let one end.")
            self._present[user] += 1
        try:
            yield
        finally:
            with self._lock:
                self._present[user] -= 1
                if not self._present[user]:
                    del self._present[user]
