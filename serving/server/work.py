"""The work queue between the event loop and the computing threads."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import TYPE_CHECKING

from shield.encoder import Row

if TYPE_CHECKING:
    from serving.server.model import ServedModel


@dataclass(slots=True, eq=False)
class RowTask:
    """One row to score, for all requests that contain it."""

    model: "ServedModel"
    key: bytes
    row: Row
    deadline: float
    """Loop time after which the result is no longer needed."""
    waiters: list[Callable[[float | Exception, float], None]] = field(default_factory=list)
    """Callbacks; called with the score or the error, and the processor time in seconds."""
    wanted: list[Callable[[], bool]] = field(default_factory=list)
    """Return whether each waiting client is still connected; called before computing."""

    def is_wanted(self, now: float) -> bool:
        """Return whether the row is still needed."""
        return self.deadline > now and any(waits() for waits in self.wanted)


@dataclass(frozen=True, slots=True)
class BatchRule:
    """Which rows may share a call of the model."""

    max_rows: int = 1
    """Most rows per call; 1 for the int8 model, whose results depend on the batch."""
    padding_budget: float = 0.15
    """Most padding in a batch, as a share of its cells."""


class WorkQueue:
    """Waiting rows, oldest first. A free thread takes rows at once, without waiting for a batch.

    A batch starts with the oldest row and adds those most similar in length, at most a fair share
    of the queue, so that no thread is idle while another computes everything.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._rows: list[RowTask] = []
        self._lock = threading.Lock()
        # One wake-up per row. A row that went with another's batch leaves an empty wake-up behind.
        self._wakeups: SimpleQueue[bool] = SimpleQueue()
        self.tokens = 0
        """Number of waiting tokens, used to estimate the wait of a new row."""
        self.computing = 0
        """Number of tokens being computed."""

    def __len__(self) -> int:
        return len(self._rows)

    def put(self, task: RowTask) -> None:
        """Append a row and wake a thread."""
        with self._lock:
            self._rows.append(task)
            self.tokens += len(task.row)
        self._wakeups.put(True)

    def stop(self) -> None:
        """End every thread after the remaining rows."""
        for _ in range(self._threads):
            self._wakeups.put(False)

    def take(self, rule: BatchRule) -> list[RowTask] | None:
        """Wait for work; return a batch, oldest row first, or `None` after `stop`."""
        while True:
            if not self._wakeups.get():
                return None
            with self._lock:
                if not self._rows:
                    continue
                batch = self._pick(rule)
                self.tokens -= sum(len(task.row) for task in batch)
                self.computing += sum(len(task.row) for task in batch)
            return batch

    def done(self, batch: list[RowTask]) -> None:
        """Record that a batch is done."""
        with self._lock:
            self.computing -= sum(len(task.row) for task in batch)

    def _pick(self, rule: BatchRule) -> list[RowTask]:
        oldest = self._rows[0]
        fair = -(-len(self._rows) // self._threads)
        most = min(rule.max_rows, fair)
        if most <= 1:
            return [self._rows.pop(0)]
        length = len(oldest.row)
        near = sorted(
            (task for task in self._rows[1:] if task.model is oldest.model),
            key=lambda task: abs(len(task.row) - length),
        )
        batch, longest, filled = [oldest], length, length
        for task in near[: most - 1]:
            size = len(task.row)
            cells = max(longest, size) * (len(batch) + 1)
            if cells - filled - size > rule.padding_budget * cells:
                break
            batch.append(task)
            longest, filled = max(longest, size), filled + size
        chosen = set(map(id, batch))
        self._rows = [task for task in self._rows if id(task) not in chosen]
        return batch
