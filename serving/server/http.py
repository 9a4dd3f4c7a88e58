"""Requests, responses, problem documents, and the encoding of responses."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from shield.errors import ShieldError, Unavailable, to_problem

_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(slots=True)
class Request:
    """One complete request. Header names are lower case."""

    method: str
    path: str
    headers: dict[bytes, bytes]
    body: bytes
    arrived: float
    """`time.perf_counter()` at completion; the loop's clock has only millisecond resolution."""
    gone: bool = False
    """Whether the client has disconnected."""


@dataclass(slots=True)
class Response:
    """One response."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()


Answer = Response | asyncio.Future[Response]
Handler = Callable[[Request], Answer]


def problem(error: ShieldError, status: int | None = None) -> Response:
    """Return an error's problem document; `error` repeats the message for V2 protocol clients."""
    status = status or error.status
    document = to_problem(error) | {"error": error.message, "status": status}
    headers: tuple[tuple[str, str], ...] = ()
    if isinstance(error, Unavailable):
        wait = error.retry_after_seconds or 1
        document["retryAfterSeconds"] = wait
        headers = (("retry-after", str(wait)),)
    elif isinstance(error, MethodNotAllowed):
        headers = (("allow", ", ".join(error.allowed)),)
    return Response(json.dumps(document).encode(), status, "application/problem+json", headers)


class MethodNotAllowed(ShieldError):
    """The path exists, but not with this method."""

    slug, status, title = "method-not-allowed", 405, "Method not allowed"
    allowed: tuple[str, ...] = ()


class Broken(ShieldError):
    """An internal error of the server."""

    slug, title = "server-error", "The model server failed"


@dataclass(slots=True)
class Limits:
    """Limits on connections and requests."""

    max_body_bytes: int
    max_held_bytes: int
    max_connections: int
    request_timeout_seconds: float
    idle_timeout_seconds: float


_HEADS: dict[tuple[int, str, bool], bytes] = {}


def encode(response: Response, keep: bool, head_only: bool = False) -> bytes:
    """Encode the response as HTTP/1.1; for HEAD only the head."""
    key = (response.status, response.content_type, keep)
    head = _HEADS.get(key)
    if head is None:
        head = _HEADS[key] = (
            f"HTTP/1.1 {response.status} {_REASONS.get(response.status, 'Unknown')}\r\n"
            f"content-type: {response.content_type}\r\n"
            + ("" if keep else "connection: close\r\n")
            + "content-length: "
        ).encode()
    extra = "".join(f"{name}: {value}\r\n" for name, value in response.headers).encode("latin-1")
    body = b"" if head_only else response.body
    return b"%b%d\r\n%b\r\n%b" % (head, len(response.body), extra, body)
