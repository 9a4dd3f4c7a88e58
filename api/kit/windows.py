"""Count requests per name in moving windows, in memory and at constant cost per request.

The in-memory windows of the library `limits` are swept as a whole, in a new thread, after each
request: with ten thousand phones that costs more than their requests.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock

_SWEPT = 2
"""Names checked for expiry per request: more than one request can add."""


class MovingWindows:
    """Counts requests by name within a moving window.

    All windows of one object have the same length; the least recently used name is removed first.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._counted: OrderedDict[tuple[str, ...], tuple[float, deque[float]]] = OrderedDict()
        """Window length and request times by name, the most recently used name last."""

    def __len__(self) -> int:
        """Return the number of names in memory."""
        return len(self._counted)

    def hit(self, amount: int, seconds: float, *name: str) -> float:
        """Count one request of at most `amount` within `seconds`.

        Returns:
            0 if it was counted, else the seconds until the next one is allowed.
        """
        now = self._clock()
        with self._lock:
            self._sweep(now)
            _, times = self._counted.setdefault(name, (seconds, deque()))
            self._counted.move_to_end(name)
            while times and times[0] <= now - seconds:
                times.popleft()
            if len(times) >= amount:
                return times[0] + seconds - now if times else seconds
            times.append(now)
            return 0.0

    def _sweep(self, now: float) -> None:
        """Remove names without requests in their window."""
        for _ in range(min(_SWEPT, len(self._counted))):
            name, (seconds, times) = next(iter(self._counted.items()))
            if times and times[-1] > now - seconds:
                return
            del self._counted[name]
