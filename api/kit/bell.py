"""Wake threads of this process that wait for work."""

import threading


class Bell:
    """A counter of signals to wait on; a signal between two waits is not missed."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._rings = 0

    def ring(self) -> None:
        """Signal all waiting threads."""
        with self._condition:
            self._rings += 1
            self._condition.notify_all()

    def heard(self) -> int:
        """Return the number of signals so far, for `wait`."""
        with self._condition:
            return self._rings

    def wait(self, heard: int, seconds: float) -> None:
        """Wait until there are more signals than `heard`, or until the time-out."""
        with self._condition:
            self._condition.wait_for(lambda: self._rings > heard, timeout=seconds)
