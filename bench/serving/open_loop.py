"""Requests at a fixed rate, whatever the answers do: what users of a busy server see."""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import httptools
import uvloop

from bench.serving.processes import Server

MOST_CONNECTIONS = 4000


@dataclass
class Outcome:
    """Latencies in seconds, by what the server said, from the time the request was due."""

    answered: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    failed: int = 0
    in_time: int = 0
    """Answers that came while requests were sent: those after that say nothing of the rate."""
    seconds: float = 0.0
    client_cpu_seconds: float = 0.0
    """Processor time of the client itself while it sent: it shares the machine."""

    @property
    def goodput(self) -> float:
        """Return the answers per second."""
        return self.in_time / self.seconds

    def percentile(self, share: float, *, refused: bool = False) -> float | None:
        """Return a percentile in milliseconds, `None` when there is nothing to take it of."""
        values = sorted(self.refused if refused else self.answered)
        if not values:
            return None
        return 1000 * values[min(len(values) - 1, int(share * len(values)))]


class _Client(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, pool: "_Pool") -> None:
        self.pool = pool
        self.due = 0.0
        self.busy = False
        self.parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.pool.idle.append(self)
        self.pool.pump()

    def send(self, due: float, payload: bytes) -> None:
        self.due, self.busy = due, True
        self.transport.write(payload)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_message_complete(self) -> None:
        status = self.parser.get_status_code()
        seconds = time.perf_counter() - self.due
        if status == 200:
            self.pool.outcome.answered.append(seconds)
            self.pool.outcome.in_time += self.pool.sending
        elif status == 503:
            self.pool.outcome.refused.append(seconds)
        else:
            self.pool.outcome.failed += 1
        self.busy = False
        if self.parser.should_keep_alive():
            self.parser = httptools.HttpResponseParser(self)
            self.pool.idle.append(self)
            self.pool.pump()
        else:
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if self.busy:
            self.pool.outcome.failed += 1
        if self in self.pool.idle:
            self.pool.idle.remove(self)
        self.pool.size -= 1


@dataclass
class _Pool:
    port: int
    limit: int
    outcome: Outcome = field(default_factory=Outcome)
    idle: list[_Client] = field(default_factory=list)
    waiting: deque[tuple[float, bytes]] = field(default_factory=deque)
    size: int = 0
    sending: bool = True

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()

    def request(self, payload: bytes) -> None:
        self.waiting.append((time.perf_counter(), payload))
        if not self.idle and self.size < self.limit:
            self.size += 1
            asyncio.ensure_future(  # noqa: RUF006 - the pool outlives it
                self.loop.create_connection(lambda: _Client(self), "127.0.0.1", self.port)
            )
        self.pump()

    def pump(self) -> None:
        while self.waiting and self.idle:
            self.idle.pop().send(*self.waiting.popleft())


def run(server: Server, texts: Sequence[str], rate: float, seconds: float) -> Outcome:
    """Send `rate` requests per second for so long, then wait for what is under way."""
    payloads = []
    for text in texts:
        body = server.body(text)
        payloads.append(
            b"POST %b HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n"
            b"content-length: %d\r\n\r\n%b" % (server.path.encode(), len(body), body)
        )

    async def go() -> Outcome:
        # More than the server's queue holds: it has to decide, not the client.
        pool = _Pool(server.port, limit=MOST_CONNECTIONS)
        started, cpu = time.perf_counter(), time.process_time()
        count = 0
        while (elapsed := time.perf_counter() - started) < seconds:
            while count < elapsed * rate:
                pool.request(payloads[count % len(payloads)])
                count += 1
            await asyncio.sleep(0.001)
        pool.sending = False
        pool.outcome.client_cpu_seconds = time.process_time() - cpu
        until = time.perf_counter() + 10
        while (pool.waiting or len(pool.idle) < pool.size) and time.perf_counter() < until:
            await asyncio.sleep(0.01)
        pool.outcome.failed += len(pool.waiting)
        pool.outcome.seconds = seconds
        return pool.outcome

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(go())
