"""Group commit: requests that arrive while a transaction commits share the next one.

A commit waits for the disk, and SQLite has one writer at a time. The requests that arrive meanwhile
are written in one transaction, and each is answered after its commit. There is no timer, and
nothing is acknowledged before it is durable.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from shield.database_errors import Cause, cause_of

_MOST = 100
"""Most requests in one transaction."""

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
    """One writing thread and its queue."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def put(self, waiting: _Waiting) -> None:
        if self._thread is None:
            self._start()
        self._queue.put(waiting)

    def stop(self) -> None:
        with self._starting:
            thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            thread.join()

    def _start(self) -> None:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="together", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            first = self._queue.get()
            waiting = [first]
            while len(waiting) < _MOST and not self._queue.empty():
                waiting.append(self._queue.get())
            kinds: dict[Write[Any, Any], list[_Waiting]] = defaultdict(list)
            for one in waiting:
                if one is not None:
                    kinds[one.write].append(one)
            for write, alike in kinds.items():
                _deliver(alike, _written(write, [one.item for one in alike]))
            if None in waiting:
                return


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
