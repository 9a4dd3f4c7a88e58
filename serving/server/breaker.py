"""A circuit breaker: refuse requests to a faulty version immediately."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum


class Fault(StrEnum):
    """Kinds of faults of a version."""

    NAN = "nan"
    ERROR = "error"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True)
class BreakerRule:
    """When the circuit opens, and for how long."""

    window: int = 50
    """Number of latest calls considered."""
    max_faults: int = 5
    """Errors among them that open the circuit."""
    max_slow: int = 25
    """Slow calls among them that open the circuit. Uses processor time instead of wall-clock time,
    since a busy machine is not a faulty model."""
    slow_factor: float = 20.0
    """A call is slow if its processor time exceeds the expected one for its length by this
    factor."""
    slow_floor_seconds: float = 0.25
    """Processor time below which a call is never slow."""
    rest_seconds: float = 5.0
    """Time after which one trial call is admitted."""


@dataclass(slots=True)
class Breaker:
    """Counts the faults of one version.

    NaN opens the circuit at once, since a model does not recover from it.
    """

    rule: BreakerRule = BreakerRule()
    on_fault: Callable[[Fault], None] = lambda fault: None
    _latest: deque[Fault | None] = field(default_factory=deque)
    _opened: float | None = None
    _trial: bool = False
    fault: Fault | None = None
    """The fault that opened the circuit, while it is open."""

    def is_slow(self, seconds: float, expected_seconds: float) -> bool:
        """Return whether a call took too much processor time for its length."""
        return seconds > max(self.rule.slow_floor_seconds, self.rule.slow_factor * expected_seconds)

    @property
    def open(self) -> bool:
        """Return whether requests are refused."""
        return self._opened is not None

    def admits(self, now: float) -> bool:
        """Return whether a request is admitted: the circuit is closed, or a trial call is due."""
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
