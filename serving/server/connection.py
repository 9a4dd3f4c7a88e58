"""HTTP/1.1 on asyncio and httptools, without a framework.

Supports keep-alive, pipelining, chunked bodies, limits, slow clients, back-pressure and draining.
Reasons and figures: docs/adr/0008.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, cast

import httptools

from serving.server.http import (
    Broken,
    Handler,
    Limits,
    Request,
    Response,
    encode,
    problem,
)
from shield.errors import BadRequest, ShieldError, TooLarge, Unavailable

_MAX_HEADER_BYTES = 16 * 1024
_MAX_PIPELINED = 16
"""Waiting requests of a client above which reading from it is paused."""
_MAX_WAITING = 1000
"""Most waiting requests of a client, since one read can contain thousands."""
_LINGER_SECONDS = 2.0
_FRESH_SECONDS = 1.0
"""Time for which a drain waits for the first request of a new connection."""


@dataclass
class Front:
    """All connections of one server."""

    handler: Handler
    limits: Limits
    log: Callable[..., None]
    connections: set["Connection"] = field(default_factory=set)
    draining: bool = False
    """Whether every response has `Connection: close`."""
    held_bytes: int = 0
    """Total size of unanswered request bodies of all clients, in bytes."""

    def __post_init__(self) -> None:
        self.loop = asyncio.get_running_loop()

    async def sweep(self, every_seconds: float = 0.5) -> None:
        """Close connections that are too slow or idle for too long; run as a task."""
        while True:
            await asyncio.sleep(every_seconds)
            now = self.loop.time()
            for connection in list(self.connections):
                connection.check_time(now)

    @property
    def busy(self) -> int:
        """Return the number of connections that wait for a response."""
        return sum(connection.is_busy for connection in self.connections)

    def close_idle(self) -> None:
        """Close every connection without a request in flight."""
        now = self.loop.time()
        for connection in list(self.connections):
            if not connection.is_busy and not connection.is_fresh(now):
                connection.close()


class Connection(asyncio.Protocol):
    """One client connection. Requests are answered in order."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._parser: Any = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport
        self._waiting: deque[tuple[Request, bool]] = deque()
        self._current: Request | None = None
        self._refusal: Response | None = None
        self._last: Response | None = None
        """Error response to send after the responses to earlier requests."""
        self._ended = False
        """Whether the client has closed its sending side."""
        self._lingering = False
        self._reading = True
        self._changed = front.loop.time()
        """Start time of the current state (idle, receiving, sending, lingering)."""
        self._receiving = False
        self._fresh_until = self._changed + _FRESH_SECONDS
        self._stuck_since: float | None = None
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = 0
        self._body: list[bytes] = []
        self._body_bytes = 0

    def _release(self, size: int) -> None:
        self._front.held_bytes -= size

    # --- asyncio ---

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Accept the connection, or refuse it if there are too many."""
        # A stream's transport, though uvloop's does not inherit from asyncio's class of that name.
        self._transport = cast(asyncio.Transport, transport)
        if len(self._front.connections) >= self._front.limits.max_connections:
            self._front.connections.add(self)
            self._refuse(
                problem(
                    Unavailable(
                        f"The model server has {self._front.limits.max_connections} connections "
                        "open. Try again shortly, or raise SHIELD_SERVER_MAX_CONNECTIONS."
                    )
                )
            )
            return
        self._front.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Remove the client; the engine drops its unfinished work."""
        self._front.connections.discard(self)
        for request in [self._current, *(waiting for waiting, _ in self._waiting)]:
            if request is not None:
                request.gone = True
                self._release(len(request.body))
        self._release(self._body_bytes)
        self._body_bytes = 0
        self._waiting.clear()

    def data_received(self, data: bytes) -> None:
        """Parse received data."""
        if self._lingering or self._last is not None:
            return
        if not self._receiving:
            self._receiving, self._changed = True, self._front.loop.time()
        try:
            while data:
                data = self._feed(data)
        except httptools.HttpParserError as error:
            reason = self._refusal or problem(
                BadRequest(f"This is not an HTTP/1.1 request: {str(error)[:120]}.")
            )
            self._refuse(reason)
        self._go_on()

    def _feed(self, data: bytes) -> bytes:
        """Feed `data` to the parser; return the rest to feed next."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as offer:
            return self._without_offer(data[offer.args[0] :])
        return b""

    def eof_received(self) -> bool:
        """Keep a half-closed connection until its last response; `_go_on` closes it then."""
        self._ended = True
        return self._current is not None or bool(self._waiting)

    def pause_writing(self) -> None:
        """Pause reading from a client that does not read responses."""
        self._stuck_since = self._front.loop.time()
        self._balance_reading()

    def resume_writing(self) -> None:
        """Resume reading."""
        self._stuck_since = None
        self._go_on()

    # --- httptools ---

    def on_url(self, url: bytes) -> None:
        """Collect the request target, which may arrive in parts."""
        self._url += url
        self._count_header(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self._count_header(len(name) + len(value))
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        """Refuse an announced body that is too long; answer `Expect: 100-continue`."""
        length = self._headers.get(b"content-length", b"0")
        if length.isdigit() and int(length) > self._front.limits.max_body_bytes:
            self._too_long()
        if self._headers.get(b"expect", b"").lower() == b"100-continue":
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body."""
        self._body_bytes += len(body)
        self._front.held_bytes += len(body)
        if self._body_bytes > self._front.limits.max_body_bytes:
            self._too_long()
        if self._front.held_bytes > self._front.limits.max_held_bytes:
            self._refusal = problem(
                Unavailable("The model server holds too many long requests. Try again shortly.")
            )
            raise _Refused
        self._body.append(body)

    def on_message_complete(self) -> None:
        """Queue the request; `_go_on` answers it in order."""
        if self._parser.should_upgrade():
            return  # the parser stops after the headers; see `_pass_over`
        now = self._front.loop.time()
        self._receiving, self._changed, self._fresh_until = False, now, now
        request = Request(
            self._parser.get_method().decode("ascii", "replace"),
            self._url.split(b"?", 1)[0].decode("latin-1"),
            self._headers,
            self._body[0] if len(self._body) == 1 else b"".join(self._body),
            time.perf_counter(),
        )
        keep = bool(self._parser.should_keep_alive())
        self._begin()
        self._waiting.append((request, keep))
        if len(self._waiting) > _MAX_WAITING:
            self._refusal = problem(
                BadRequest(
                    f"More than {_MAX_WAITING} requests were sent ahead of their answers. "
                    "Read answers before sending more."
                ),
                status=429,
            )
            raise _Refused

    # --- answering ---

    @property
    def is_busy(self) -> bool:
        """Return whether a request is being received or answered."""
        answering = self._current is not None or bool(self._waiting)
        return answering or (self._receiving and not self._lingering)

    def is_fresh(self, now: float) -> bool:
        """Return whether the connection is new and has sent no request yet."""
        return now < self._fresh_until

    def close(self) -> None:
        """Close the connection after sending the buffered data."""
        self._transport.close()

    def check_time(self, now: float) -> None:
        """Close the connection if its current state has lasted too long."""
        limits, age = self._front.limits, now - self._changed
        if self._lingering:
            if age > _LINGER_SECONDS:
                self._transport.abort()
        elif self._stuck_since is not None:
            if now - self._stuck_since > limits.request_timeout_seconds:
                self._transport.abort()
        elif self._receiving and self._current is None:
            if age > limits.request_timeout_seconds:
                seconds = limits.request_timeout_seconds
                error = BadRequest(
                    f"The request did not arrive whole within {seconds:g} s. Send it again."
                )
                self._refuse(problem(error, status=408))
        elif self._current is None and age > limits.idle_timeout_seconds:
            self.close()

    def _go_on(self) -> None:
        """Answer waiting requests in order, until one has no result yet.

        A loop instead of recursion, since a client may pipeline hundreds of requests.
        """
        while self._waiting and self._may_answer:
            request, keep = self._waiting.popleft()
            self._current = request
            try:
                answer = self._front.handler(request)
            except Exception as error:  # noqa: BLE001 - the edge: a bug must not look like a bad request
                answer = self._broken(error)
            if isinstance(answer, Response):
                self._send(answer, keep)
            else:
                answer.add_done_callback(partial(self._finish, keep))
        if self._current is None and not self._waiting:
            if self._last is not None:
                self._hang_up_with(self._last)
            elif self._ended:
                self.close()
        self._balance_reading()

    @property
    def _may_answer(self) -> bool:
        free = self._current is None and self._stuck_since is None
        return free and not self._transport.is_closing()

    def _finish(self, keep: bool, done: asyncio.Future[Response]) -> None:
        self._send(self._result(done), keep)
        self._go_on()

    def _result(self, done: asyncio.Future[Response]) -> Response:
        if done.cancelled():
            return problem(Unavailable("The model server is shutting down. Try again."))
        error = done.exception()
        if isinstance(error, ShieldError):
            return problem(error)
        return done.result() if error is None else self._broken(error)

    def _broken(self, error: BaseException) -> Response:
        # The kind of the error, not its text: that could quote a message.
        self._front.log("server_error", kind=type(error).__name__)
        return problem(Broken("The model server failed to answer. Look at its log."))

    def _send(self, response: Response, keep: bool) -> None:
        request, self._current = self._current, None
        if request is None or request.gone:
            return
        self._release(len(request.body))
        if self._transport.is_closing():
            return
        keep = keep and not self._front.draining
        self._transport.write(encode(response, keep, head_only=request.method == "HEAD"))
        self._changed = self._front.loop.time()
        if not keep:
            self._release(sum(len(waiting.body) for waiting, _ in self._waiting))
            self._waiting.clear()
            self._last = None
            self.close()

    def _refuse(self, response: Response) -> None:
        """Send `response` after the earlier ones, then close the connection."""
        if self._current is None and not self._waiting:
            self._hang_up_with(response)
        elif self._last is None:
            self._last, self._receiving = response, False

    def _hang_up_with(self, response: Response) -> None:
        """Respond and close, but read on briefly: a reset would discard the response."""
        self._last = None
        if self._lingering or self._transport.is_closing():
            return
        self._lingering, self._changed = True, self._front.loop.time()
        self._transport.write(encode(response, keep=False))
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _without_offer(self, rest: bytes) -> bytes:
        """Return the request without its `Upgrade` header (RFC 9110, 7.8).

        Java's client offers HTTP/2 with its first request. The parser does not read the body of
        such a request, so it is fed the headers again without the offer.
        """
        method = self._parser.get_method()
        if method == b"CONNECT":
            self._refuse(problem(BadRequest("This is not a proxy: CONNECT is not supported.")))
            return b""
        headers = self._headers.items()
        head = b"".join(b"%b: %b\r\n" % pair for pair in headers if pair[0] != b"upgrade")
        version = self._parser.get_http_version().encode()
        again = b"%b %b HTTP/%b\r\n%b\r\n%b" % (method, self._url, version, head, rest)
        self._parser = httptools.HttpRequestParser(self)
        self._begin()
        return again

    def _too_long(self) -> None:
        limit = self._front.limits.max_body_bytes
        self._refusal = problem(
            TooLarge(
                f"The body is longer than {limit} bytes. Send fewer or shorter texts, or raise "
                "SHIELD_SERVER_MAX_BODY_BYTES."
            )
        )
        raise _Refused

    def _count_header(self, size: int) -> None:
        self._header_bytes += size
        if self._header_bytes > _MAX_HEADER_BYTES:
            error = TooLarge(f"The headers are longer than {_MAX_HEADER_BYTES} bytes. Send fewer.")
            self._refusal = problem(error, status=431)
            raise _Refused

    def _balance_reading(self) -> None:
        """Read from the client only while it reads responses and few requests wait."""
        reading = self._stuck_since is None and len(self._waiting) < _MAX_PIPELINED
        if reading != self._reading and not self._transport.is_closing():
            self._reading = reading
            (self._transport.resume_reading if reading else self._transport.pause_reading)()


class _Refused(Exception):
    """Raised to stop the parser; the response is in `_refusal`."""
