"""Tell how far a step is, and about how long it still takes.

A step writes to stderr. The runner of a laptop (`pipelines.local`) passes lines that begin with the
name of the present step on to whoever watches; on a cluster they are in the log of the pod.
"""

import sys
import time
from collections.abc import Callable

_PAUSE_SECONDS = 2.0
"""Between two lines."""


def tell(step: str, line: str) -> None:
    """Write one line of a step's progress."""
    print(f"{step}: {line}", file=sys.stderr, flush=True)  # noqa: T201  # progress, for people


class Progress:
    """Counts work that is done, out of a known amount.

    Writes lines such as `evaluate: 1,200 of 3,000 messages, about 9 s left`: one for each tenth of
    the work, and one every two seconds.

    Args:
        step: The step.
        total: Amount of work, at least 1.
        unit: What is counted, in the plural.
        done: Amount that was done before, which says nothing about the pace.
        clock: Monotonic seconds.
    """

    def __init__(
        self,
        step: str,
        total: int,
        unit: str,
        *,
        done: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Begin to count."""
        self._step, self._total, self._unit, self._clock = step, total, unit, clock
        self._done = self._before = done
        self._began = self._told = clock()

    def add(self, amount: int, note: str = "") -> None:
        """Count work that was just done; `note` is told beside it."""
        tenth = 10 * self._done // self._total
        self._done += amount
        now = self._clock()
        if 10 * self._done // self._total == tenth and now - self._told < _PAUSE_SECONDS:
            return
        self._told = now
        parts = [f"{self._done:,} of {self._total:,} {self._unit}"]
        if self._done < self._total:
            pace = (now - self._began) / (self._done - self._before)
            parts.append(_left(pace * (self._total - self._done)))
        tell(self._step, ", ".join([*parts, *([note] if note else [])]))


def _left(seconds: float) -> str:
    return f"about {seconds:.0f} s left" if seconds < 90 else f"about {seconds / 60:.0f} min left"
