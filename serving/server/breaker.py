"""A circuit breaker: stop asking a version that is broken, and say so at once."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """What a version can do wrong."""

    NAN = "nan"
    ERROR = "error"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When to open, and for how long."""

    window: int = 50
    """Latest calls that are looked at."""
    max_faults: int = 5
    """Errors among them that open the circuit."""
    max_slow: int = 25
    """Slow calls among them that open the circuit. Processor time counts, and not the clock on the
    wall: a busy machine is not a broken model."""
    slow_factor: float = 20.0
    """A call that takes this many times the processor time that its length should is a latency
    fault."""
    slow_floor_seconds: float = 0.25
    """A call that takes less processor time than this is never slow."""
    rest_seconds: float = 5.0
    """Time until one call is let through to see whether the version has recovered."""


@dataclass(slots=True)
class Breaker:
    """Counts the faults of one version.

    NaN opens it at once: a model does not recover from that.
    """

    rule: BreakerRule = BreakerRule()
    on_fault: Callable[[Fault], None] = lambda fault: None
    _latest: deque[Fault | None] = field(default_factory=deque)
    _opened: float | None = None
    _trial: bool = False
    fault: Fault | None = None
    """What opened it, while it is open."""

    def is_slow(self, seconds: float, expected_seconds: float) -> bool:
        """Tell whether a call took too much processor time for its length."""
        return seconds > max(self.rule.slow_floor_seconds, self.rule.slow_factor * expected_seconds)

    @property
    def open(self) -> bool:
        """Tell whether requests are refused."""
        return self._opened is not None

    def admits(self, now: float) -> bool:
        """Tell whether a request may pass: closed, or open for long enough to try one."""
        if self._opened is None:
            return True
        if self.fault is Fault.NAN or now - self._opened < self.rule.rest_seconds:
            return False
        # Should the one that is let through never reach the model (it may be answered from the
        # cache), another one is tried after the next rest.
        self._opened, self._trial = now, True
        return True

    def record(self, now: float, fault: Fault | None) -> None:
        """Count one call of the model."""
        if fault is not None:
            self.on_fault(fault)
        if self._opened is None:
            self._count(now, fault)
        elif self._trial:
            self._trial = False
            if fault is None:
                self._opened, self.fault = None, None
                self._latest.clear()
            else:
                self._opened = now

    def _count(self, now: float, fault: Fault | None) -> None:
        self._latest.append(fault)
        if len(self._latest) > self.rule.window:
            self._latest.popleft()
        too_many = self._latest.count(Fault.ERROR) >= self.rule.max_faults
        too_slow = self._latest.count(Fault.LATENCY) >= self.rule.max_slow
        if fault is Fault.NAN or too_many or too_slow:
            self._opened, self.fault = now, fault or Fault.ERROR
