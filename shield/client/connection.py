"""The connection to the API: sends requests, retries, and parses answers and problems."""

import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import TracebackType
from typing import Any, Generic, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import TypeAdapter

from shield.crds.base import Wire
from shield.errors import NotFound, ShieldError, Unavailable, from_problem
from shield.wire import Pagination

T = TypeVar("T")
_PAUSES_SECONDS = (0.1, 0.3, 1.0, 2.0)


def at(template: str, *names: str) -> str:
    """Return a path with `names` in the places of its `{}`, quoted: each stays one segment.

    Raises:
        NotFound: A name has a slash, or is `.` or `..`. Servers read these as parts of a path even
            when they are quoted, so the call would reach another route; nothing has such a name.
    """
    for name in names:
        if "/" in name or name in {"", ".", ".."}:
            raise NotFound(
                f"Nothing is named {name!r}: a name is not empty, has no slash, and is neither "
                "'.' nor '..'. Check how it is spelled."
            )
    return template.format(*(quote(name, safe="") for name in names))


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list."""

    items: list[T]
    pagination: Pagination

    def __iter__(self) -> Iterator[T]:
        """Iterate over the items of this page alone."""
        return iter(self.items)


@lru_cache(maxsize=1)
def _trusted_authorities() -> ssl.SSLContext:
    """Return httpx's default TLS context; cached, since loading it is slower than a request."""
    return httpx.create_ssl_context()


class Connection:
    """Sends requests as one user. Safe to share between threads.

    Args:
        base_url: Of the API, without `/api`.
        token: A JWT; `None` for calls that need no account.
        timeout_seconds: Of one attempt.
        repeats: Whether calls that may be repeated safely are repeated; `False` for callers that
            ask again themselves.
        sleep: Waits between two attempts.
        transport: Another transport of httpx, such as an application in this process.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None,
        *,
        timeout_seconds: float = 30.0,
        repeats: bool = True,
        sleep: Callable[[float], None] = time.sleep,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.base_url = base_url.rstrip("/")
        self._http = httpx.Client(
            base_url=self.base_url + "/api/v2",
            headers=headers,
            timeout=timeout_seconds,
            transport=transport,
            verify=_trusted_authorities(),
        )
        self._sleep = sleep
        self._repeats = repeats

    def __enter__(self) -> Self:
        """Return the client itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the connections."""
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def _data(self, kind: type[T], answer: Mapping[str, Any]) -> T:
        return TypeAdapter(kind).validate_python(answer["data"])

    def _page(self, kind: type[T], path: str, query: Mapping[str, Any]) -> Page[T]:
        answer = self._call("GET", path, query=query)
        items = [self._data(kind, {"data": item}) for item in answer["data"]]
        return Page(items, Pagination.model_validate(answer["pagination"]))

    def _all(self, kind: type[T], path: str, query: Mapping[str, Any]) -> list[T]:
        items: list[T] = []
        cursor: str | None = None
        while True:
            page = self._page(kind, path, {**query, "limit": 200, "cursor": cursor})
            items += page.items
            cursor = page.pagination.next_cursor
            if cursor is None:
                return items

    def _call(
        self,
        method: str,
        path: str,
        *,
        body: Wire | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
    ) -> dict[str, Any]:
        answer = self._request(method, path, body=body, query=query, headers=headers, repeat=repeat)
        document: dict[str, Any] = answer.json()
        return document

    def _request(
        self,
        method: str,
        path: str,
        *,
        body: Wire | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeat: bool = True,
    ) -> httpx.Response:
        content = body.model_dump(mode="json", by_alias=True, exclude_none=True) if body else None
        params = {name: str(value) for name, value in (query or {}).items() if value is not None}
        for pause in (*_PAUSES_SECONDS, None):
            try:
                answer = self._http.request(
                    method, path, json=content, params=params, headers=dict(headers or {})
                )
                error = None if answer.is_success else _error_of(answer)
            except httpx.TransportError as fault:
                error = Unavailable(
                    f"{method} {self.base_url}/api/v2{path} did not answer ({fault}). "
                    "Is the API running? `shieldctl status` tells."
                )
            if error is None:
                return answer
            if (
                pause is None
                or not (repeat and self._repeats)
                or not isinstance(error, Unavailable)
            ):
                raise error
            self._sleep(pause)
        raise AssertionError("unreachable: the last round returns or raises")


def _error_of(answer: httpx.Response) -> ShieldError:
    try:
        document = answer.json()
    except ValueError:
        document = {}
    if not isinstance(document, dict) or "type" not in document:
        document = {"detail": f"{answer.request.url} answered HTTP {answer.status_code}."}
    return from_problem(answer.status_code, document)
