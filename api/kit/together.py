"""Group commit: requests that arrive while a transaction commits share the next one.

A commit waits for the disk, and SQLite has one writer at a time. The requests that arrive meanwhile
are written in one transaction, and each is answered after its commit: nothing is acknowledged
before it is durable.

A transaction costs as much as several of its requests, so that two small ones are dearer than one
large one. Where several requests were under way when the last transaction ended, the next one waits
for as many, a little while. A request that comes alone waits for nobody.
"""

import asyncio
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from shield.database_errors import Cause, cause_of

_MOST = 100
"""Most requests in one transaction."""
_WAIT_SHARE = 0.25
"""Longest wait for further requests, as a share of what the last transaction took."""
_MOST_WAIT_SECONDS = 0.002
_NOBODY = 1 << 60
"""More requests than ever wait: a thread that writes is not to be woken."""

Item = TypeVar("Item")
Result = TypeVar("Result")
Write = Callable[[Sequence[Item]], Sequence[Result]]
"""Writes a list of items in one transaction, commits, and returns the result of each."""


@dataclass(frozen=True)
class _Waiting:
    write: Write[Any, Any]
    item: Any
    loop: asyncio.AbstractEventLoop
    future: "asyncio.Future[Any]"


class Together:
    """The writing threads. Each starts with its first request and sleeps between requests.

    Args:
        apart: Give each kind of item a thread of its own, so that one kind that waits for a lock
            delays no other. For databases with several writers at a time.
    """

    def __init__(self, *, apart: bool = False) -> None:
        self._apart = apart
        self._writers: dict[Write[Any, Any] | None, _Writer] = {}
        self._starting = threading.Lock()

    def put(self, write: Write[Item, Result], item: Item) -> "asyncio.Future[Result]":
        """Write an item with `write`, together with others of its kind; call it on an event loop.

        Returns:
            The result of `write` for the item, after the commit. If one item fails the transaction,
            only that item raises; the others are written without it.
        """
        kind = write if self._apart else None
        writer = self._writers.get(kind)
        if writer is None:
            with self._starting:
                writer = self._writers.setdefault(kind, _Writer())
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Result] = loop.create_future()
        writer.put(_Waiting(write, item, loop, future))
        return future

    def stop(self) -> None:
        """Write the waiting items and end the threads."""
        with self._starting:
            writers, self._writers = self._writers, {}
        for writer in writers.values():
            writer.stop()


class _Writer:
    """One writing thread and the items that wait for it."""

    def __init__(self) -> None:
        self._items: deque[_Waiting] = deque()
        self._wakes: SimpleQueue[None] = SimpleQueue()
        self._wake_at = _NOBODY
        """Number of waiting items at which the thread is woken."""
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def put(self, waiting: _Waiting) -> None:
        if self._thread is None:
            self._start()
        self._items.append(waiting)
        if len(self._items) >= self._wake_at:
            self._wake_at = _NOBODY
            self._wakes.put(None)

    def stop(self) -> None:
        with self._starting:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._stopping = True
            self._wakes.put(None)
            thread.join()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="together", daemon=True)
                self._thread.start()

    def _wait(self, count: int, seconds: float | None = None) -> None:
        """Sleep until so many items wait, at most so long; it may end earlier."""
        self._wake_at = count
        if len(self._items) < count and not self._stopping:  # looked at after it was said
            with suppress(Empty):
                self._wakes.get(timeout=seconds)
        self._wake_at = _NOBODY

    def _run(self) -> None:
        expected, took = 1, 0.0
        while True:
            while not self._items:
                if self._stopping:
                    return
                self._wait(1)
            if len(self._items) < expected:
                self._wait(expected, min(_WAIT_SHARE * took, _MOST_WAIT_SECONDS))
            started = time.perf_counter()
            count = min(_MOST, len(self._items))
            kinds: dict[Write[Any, Any], list[_Waiting]] = defaultdict(list)
            for _ in range(count):
                one = self._items.popleft()
                kinds[one.write].append(one)
            for write, alike in kinds.items():
                _deliver(alike, _written(write, [one.item for one in alike]))
            took = time.perf_counter() - started
            # All that were under way: those who were answered may ask again at once.
            expected = min(_MOST, count + len(self._items))


def _written(write: Write[Any, Any], items: Sequence[Any]) -> Sequence[Any]:
    try:
        return write(items)
    except Exception as error:  # noqa: BLE001 - the edge of a thread: each request gets its error
        away = isinstance(error, SQLAlchemyError) and cause_of(error) is Cause.AWAY
        if away or len(items) == 1:
            return [error] * len(items)
    return [result for item in items for result in _written(write, [item])]


def _deliver(waiting: Sequence[_Waiting], results: Sequence[Any]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = defaultdict(
        list
    )
    for one, result in zip(waiting, results, strict=True):
        loops[one.loop].append((one.future, result))
    for loop, told in loops.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_tell, told)


def _tell(told: Sequence[tuple["asyncio.Future[Any]", Any]]) -> None:
    for future, result in told:
        if future.done():  # the client has gone
            continue
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)
