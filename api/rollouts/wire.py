"""A minimal HTTP client for model servers on the event loop, with kept-alive connections.

A general client creates a dozen objects per request, which takes a third of the model's three
milliseconds. Errors are httpx's classes, since failures are counted by these names.
"""

import asyncio
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, cast
from urllib.parse import urlsplit

import httptools
import httpx

_MOST_CONNECTIONS = 100
"""Most connections per server and event loop."""
_HELD_UP = 1.2
"""Times its length after which a time-out that fires says that the loop was held up."""


@dataclass(frozen=True)
class _Address:
    host: str
    port: int
    tls: bool
    head: bytes
    """Header of each request, up to the length of its body."""


@lru_cache(maxsize=256)
def _address(url: str) -> _Address:
    parts = urlsplit(url)
    if not parts.hostname:
        raise httpx.UnsupportedProtocol(f"{url!r} is not the address of a model server.")
    tls = parts.scheme == "https"
    head = (
        f"POST {parts.path or '/'} HTTP/1.1\r\nhost: {parts.netloc}\r\n"
        "content-type: application/json\r\ncontent-length: "
    )
    return _Address(parts.hostname, parts.port or (443 if tls else 80), tls, head.encode())


class _Connection(asyncio.Protocol):
    """One connection, for one request at a time."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._transport: asyncio.Transport | None = None
        self._parser: Any = None
        self._answer: asyncio.Future[tuple[int, bytes]] | None = None
        self._body: list[bytes] = []
        self._has_length = False
        self._has_head = False
        self.usable = True
        """Whether the connection is open and idle."""

    def ask(self, request: bytes, timeout_seconds: float) -> "asyncio.Future[tuple[int, bytes]]":
        """Send a request; return a future of its status and body.

        Raises:
            httpx.RemoteProtocolError: The server has closed the connection.
        """
        if self._transport is None or not self.usable or self._transport.is_closing():
            raise httpx.RemoteProtocolError("The model server closed the connection.")
        self._parser = httptools.HttpResponseParser(self)
        self._body, self._has_length, self._has_head = [], False, False
        answer = self._answer = self._loop.create_future()
        late = self._loop.call_later(timeout_seconds, self._too_late)
        answer.add_done_callback(lambda _: late.cancel())
        self._transport.write(request)
        return answer

    def close(self) -> None:
        """Close the connection."""
        self.usable = False
        if self._transport is not None:
            self._transport.abort()

    def _too_late(self) -> None:
        self._fail(httpx.ReadTimeout("The model server did not answer in time."))

    def _fail(self, fault: Exception) -> None:
        self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(fault)

    # --- asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Store the transport."""
        self._transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Parse a part of the response."""
        if self._answer is None or self._answer.done():
            self.close()  # nobody has asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as fault:
            self._fail(httpx.RemoteProtocolError(f"This is not an HTTP response: {fault}."))

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request, unless the end of the connection ends the response."""
        self.usable = False
        if self._has_head and not self._has_length:
            self.on_message_complete()
        self._fail(httpx.RemoteProtocolError("The model server closed the connection."))

    # --- httptools ---

    def on_header(self, name: bytes, value: bytes) -> None:
        """Note whether the response states its length."""
        self._has_length |= name.lower() in (b"content-length", b"transfer-encoding")

    def on_headers_complete(self) -> None:
        """Note that the headers are complete."""
        self._has_head = True

    def on_body(self, body: bytes) -> None:
        """Store a part of the body."""
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Resolve the future with the response."""
        if self._answer is None or self._answer.done():
            return
        self.usable = self.usable and bool(self._parser.should_keep_alive())
        self._answer.set_result((self._parser.get_status_code(), b"".join(self._body)))


@dataclass
class _Pool:
    idle: list[_Connection] = field(default_factory=list)
    room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_MOST_CONNECTIONS))


class ModelClient:
    """Posts JSON to model servers over connections kept per event loop and server."""

    def __init__(self, timeout_seconds: float, connect_seconds: float) -> None:
        self._timeout, self._connect = timeout_seconds, connect_seconds
        self._pools: dict[tuple[asyncio.AbstractEventLoop, str, int], _Pool] = {}

    async def post(self, url: str, body: bytes) -> tuple[int, bytes]:
        """Send a POST; return status and body of the response.

        The time-out is for the whole, so that nobody waits for a free connection to a server that
        has stopped to answer longer than for the answer itself.

        Raises:
            httpx.HTTPError: Connection failure, time-out, or an invalid response.
        """
        address, loop = _address(url), asyncio.get_running_loop()
        pool, until = self._pool(loop, address), loop.time() + self._timeout
        request = b"%b%d\r\n\r\n%b" % (address.head, len(body), body)
        await self._take_room(pool, until)
        try:
            while pool.idle:
                kept = pool.idle.pop()
                if not kept.usable:
                    continue
                try:
                    return await self._ask(pool, kept, request, until - loop.time())
                except httpx.RemoteProtocolError:
                    # A kept connection that the server has closed meanwhile says nothing about
                    # the model.
                    break
            made = await self._connected(loop, address)
            return await self._ask(pool, made, request, until - loop.time())
        finally:
            pool.room.release()

    def close(self) -> None:
        """Close all connections. Thread-safe."""
        for (loop, _, _), pool in self._pools.items():
            for connection in pool.idle:
                if not loop.is_closed():
                    loop.call_soon_threadsafe(connection.close)
        self._pools.clear()

    def _pool(self, loop: asyncio.AbstractEventLoop, to: _Address) -> _Pool:
        pool = self._pools.get((loop, to.host, to.port))
        if pool is None:
            for key in [key for key in self._pools if key[0].is_closed()]:
                del self._pools[key]
            pool = self._pools[loop, to.host, to.port] = _Pool()
        return pool

    async def _take_room(self, pool: _Pool, until: float) -> None:
        try:
            async with asyncio.timeout_at(until if pool.room.locked() else None):
                await pool.room.acquire()
        except TimeoutError as fault:
            raise httpx.PoolTimeout(
                f"All {_MOST_CONNECTIONS} connections to the model server wait for answers."
            ) from fault

    async def _ask(
        self, pool: _Pool, connection: _Connection, request: bytes, left_seconds: float
    ) -> tuple[int, bytes]:
        try:
            answer = await connection.ask(request, max(0.0, left_seconds))
        except BaseException:
            connection.close()
            raise
        if connection.usable:
            pool.idle.append(connection)
        return answer

    async def _connected(self, loop: asyncio.AbstractEventLoop, to: _Address) -> _Connection:
        for late in (False, True):
            began = loop.time()
            making = loop.create_connection(
                lambda: _Connection(loop), to.host, to.port, ssl=True if to.tls else None
            )
            try:
                _, connection = await asyncio.wait_for(making, self._connect)
                break
            except TimeoutError as fault:
                # Where the loop was held up (the first request reads modules and tables from a cold
                # disk), time has passed and the server has had none of it.
                if late or loop.time() - began < _HELD_UP * self._connect:
                    raise httpx.ConnectTimeout(f"{to.host}:{to.port} does not answer.") from fault
            except OSError as fault:
                raise httpx.ConnectError(f"{to.host}:{to.port}: {fault.strerror}.") from fault
        return connection
