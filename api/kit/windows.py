"""Moving windows in memory: who has asked how often within the last minute, at constant cost.

The windows of the library `limits` in memory are swept as a whole, by a new thread, after each
request: with ten thousand phones that costs more than their requests.
"""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from threading import Lock

_SWEPT = 2
"""Names that are looked at for each request: more than can be added by it."""


class MovingWindows:
    """Counts requests by name; those that have left the window count no more.

    The windows of one object are of one length: whoever has not asked for longest is forgotten
    first.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = Lock()
        self._counted: OrderedDict[tuple[str, ...], tuple[float, deque[float]]] = OrderedDict()
        """By name, whoever has asked latest last: length of the window, and each request's time."""

    def __len__(self) -> int:
        """Return how many names are remembered."""
        return len(self._counted)

    def hit(self, amount: int, seconds: float, *name: str) -> float:
        """Count one request of at most `amount` within `seconds`.

        Returns:
            0 if it was counted; else after how many seconds the next one will be.
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
        """Forget names that have not asked for longer than their window."""
        for _ in range(min(_SWEPT, len(self._counted))):
            name, (seconds, times) = next(iter(self._counted.items()))
            if times and times[-1] > now - seconds:
                return
            del self._counted[name]
