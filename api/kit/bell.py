"""Wake whoever waits for work within this process."""

import threading


class Bell:
    """Rings for all who wait; nobody misses a ring between two waits."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    def ring(self) -> None:
        """Wake all."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def heard(self) -> int:
        """Return how often it has rung: what `wait` asks for."""
        with self._condition:
            return self._rings

    def wait(self, heard: int, seconds: float) -> None:
        """Return once it has rung more often than `heard`, or when the time is over."""
        with self._condition:
            self._condition.wait_for(lambda: self._rings > heard, timeout=seconds)
