"""Fast paths for the most frequent requests: the route's work without the framework's cost.

The framework's routing, dependencies and response validation cost as much as a scan itself. A lane
handles a plain, valid request directly. Every other request (an invalid body, a repeated header, no
token) is passed to the documented route, so that errors are produced in one place.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import HTTPConnection
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.kit.auth import Principal
from api.kit.context import PEOPLE, Services, count_write, principal_of
from api.kit.counters import BASE
from api.kit.problems import answer_to
from shield.errors import ShieldError

T = TypeVar("T")
Headers = Mapping[bytes, bytes]
"""Headers by lower-case name."""


@dataclass(frozen=True)
class Lane(Generic[T]):
    """The fast path of one `POST` that is allowed to all of `PEOPLE` and returns 201 with JSON."""

    path: str
    """Path of the route, e.g. `/scans`."""
    read: Callable[[bytes, Headers], T | None]
    """Parses a body; `None` passes the request to the route."""
    serve: Callable[[Services, Principal, T], Awaitable[bytes]]
    """Does the work and returns the response as JSON."""


class Lanes:
    """ASGI middleware that serves requests with a fast path and passes on all others."""

    def __init__(self, app: ASGIApp, services: Services, lanes: Sequence[Lane[Any]]) -> None:
        self._app = app
        self._services = services
        self._lanes = {BASE + lane.path: lane for lane in lanes}
        self._routes = {BASE + lane.path: SimpleNamespace(path=lane.path) for lane in lanes}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        lane = self._lanes.get(scope["path"]) if scope["type"] == "http" else None
        headers = dict(scope["headers"]) if lane is not None else {}
        token = _token(scope, headers) if lane is not None else None
        if lane is None or token is None:
            await self._app(scope, receive, send)
            return
        body = b""
        while True:
            message = await receive()
            if message["type"] != "http.request":
                return  # the client has gone
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        asked = lane.read(body, headers)
        if asked is None:
            await self._app(scope, _again(body, receive), send)
            return
        scope["route"] = self._routes[scope["path"]]
        try:
            principal = await principal_of(self._services, token)
            principal.require(*PEOPLE)
            await count_write(self._services, principal, HTTPConnection(scope))
            content = await lane.serve(self._services, principal, asked)
        except (ShieldError, SQLAlchemyError) as error:
            await answer_to(error)(scope, receive, send)
            return
        length = str(len(content)).encode()
        head = [(b"content-length", length), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 201, "headers": head})
        await send({"type": "http.response.body", "body": content})


def _token(scope: Scope, headers: Headers) -> str | None:
    """Return the bearer token of a plain `POST` of JSON, or `None`."""
    if scope["method"] != "POST" or len(headers) != len(scope["headers"]):
        return None
    if headers.get(b"content-type", b"").partition(b";")[0] != b"application/json":
        return None
    scheme, _, token = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
    return token if scheme.lower() == "bearer" and token else None


def _again(body: bytes, receive: Receive) -> Receive:
    """Return an ASGI `receive` that replays a body already read."""
    unread = True

    async def again() -> Message:
        nonlocal unread
        if unread:
            unread = False
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again
