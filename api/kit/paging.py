"""Pages of lists: by cursor, stable under inserts and deletes, and by number for people."""

import base64
import binascii
import json
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from shield.errors import NotFound
from shield.wire import Pagination

MAX_LIMIT = 200
_MOST_INTEGER = 2**63 - 1
"""Largest number that a database's column holds."""
MOST_COUNTED = 10_000
"""Most rows counted for `total`."""


@dataclass(frozen=True)
class PageRequest:
    """The requested page."""

    limit: int
    page: int
    cursor: tuple[Any, ...] | None


def _page_request(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Rows per page.")] = 20,
    page: Annotated[int, Query(ge=1, le=100_000, description="Page number, from 1.")] = 1,
    cursor: Annotated[
        str | None, Query(max_length=512, description="`nextCursor` of the page before.")
    ] = None,
) -> PageRequest:
    return PageRequest(limit, page, decode(cursor) if cursor else None)


Paged = Annotated[PageRequest, Depends(_page_request)]


def encode(values: Sequence[Any]) -> str:
    """Return an opaque cursor for the position after a row with these sort values."""
    return base64.urlsafe_b64encode(json.dumps(list(values)).encode()).decode().rstrip("=")


def decode(cursor: str) -> tuple[Any, ...]:
    """Decode a cursor's sort values.

    Raises:
        NotFound: The cursor is invalid.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        values = json.loads(raw)
    except (ValueError, binascii.Error) as fault:
        raise _bad_cursor() from fault
    if not isinstance(values, list) or len(values) != 2 or not isinstance(values[1], str):
        raise _bad_cursor()
    if isinstance(values[0], bool) or not isinstance(values[0], int | float | str):
        raise _bad_cursor()
    if isinstance(values[0], float | int) and not math.isfinite(values[0]):
        raise _bad_cursor()
    if "\0" in values[1] or (isinstance(values[0], str) and "\0" in values[0]):
        raise _bad_cursor()
    return tuple(values)


def _bad_cursor() -> NotFound:
    return NotFound("cursor: it is invalid. Send `nextCursor` unchanged, or leave it out.")


@dataclass(frozen=True)
class Sorted:
    """A total order of rows by `key`, then `id`. `kind` parses a cursor's first value."""

    key: Any
    id: Any
    descending: bool = False
    kind: Callable[[Any], Any] = float

    def after(self, cursor: tuple[Any, ...]) -> ColumnElement[bool]:
        """Return the condition for rows after the cursor."""
        try:
            value = self.kind(cursor[0])
        except (TypeError, ValueError, OverflowError) as fault:
            raise _bad_cursor() from fault
        if isinstance(value, int) and not -_MOST_INTEGER <= value <= _MOST_INTEGER:
            raise _bad_cursor()
        # The first condition follows from the second. An index is entered by it: by the second,
        # an "or", a database reads all that stands before the cursor.
        if self.descending:
            later = or_(self.key < value, (self.key == value) & (self.id < cursor[1]))
            return and_(self.key <= value, later)
        later = or_(self.key > value, (self.key == value) & (self.id > cursor[1]))
        return and_(self.key >= value, later)

    def order(self) -> tuple[Any, Any]:
        """Return the ORDER BY columns."""
        return (self.key.desc(), self.id.desc()) if self.descending else (self.key, self.id)


def fetch_page(
    session: Session, query: Select[Any], order: Sorted, paging: PageRequest
) -> tuple[list[Any], Pagination]:
    """Return one page of rows of `query` (which selects one entity) and its pagination."""
    total = counted(session, query)
    page = query.order_by(*order.order()).limit(paging.limit + 1)
    if paging.cursor is not None:
        page = page.where(order.after(paging.cursor))
    elif paging.page > 1:
        page = page.offset((paging.page - 1) * paging.limit)
    rows = list(session.scalars(page))
    more = len(rows) > paging.limit
    rows = rows[: paging.limit]
    cursor = None
    if more:
        last = rows[-1]
        key = getattr(last, order.key.key)
        key = key.isoformat() if isinstance(key, datetime) else key
        cursor = encode([key, getattr(last, order.id.key)])
    return rows, pagination(paging, total, cursor)


def counted(session: Session, query: Select[Any]) -> int:
    """Return the number of rows of a query, at most `MOST_COUNTED`.

    A full count would grow with the table; the page itself is read by index.
    """
    some = query.order_by(None).limit(MOST_COUNTED).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def pagination(paging: PageRequest, total: int, cursor: str | None) -> Pagination:
    """Return the `pagination` member of a response."""
    return Pagination(
        page=paging.page,
        limit=paging.limit,
        total=total,
        total_pages=math.ceil(total / paging.limit),
        next_cursor=cursor,
    )


def moment(value: Any) -> datetime:
    """Parse a time from a cursor. Raises `ValueError`."""
    parsed = datetime.fromisoformat(str(value))
    if parsed.tzinfo is None:
        raise ValueError("a time without time zone")
    return parsed
