"""Convert every error to an RFC 9457 problem document."""

import logging
import math
import traceback
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ConfigDict, Field
from sqlalchemy.exc import DataError, SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.routing import Match

from shield.database_errors import CONFLICTING_WRITES, Cause, cause_of
from shield.errors import (
    BadRequest,
    Invalid,
    NotFound,
    RateLimited,
    ShieldError,
    TooLarge,
    Unauthenticated,
    Unavailable,
    to_problem,
)
from shield.wire import Answer

MEDIA_TYPE = "application/problem+json"
logger = logging.getLogger("api")

_OURS = Path(__file__).parents[1]
_BUG = "Internal server error. The server's log has the details; try again later."


class Problem(Answer):
    """An RFC 9457 problem document, with the members `success` and `message` of the envelope."""

    model_config = ConfigDict(extra="allow")

    type: str
    """`/problems/<slug>`; see `shield.errors`."""
    title: str
    status: int
    detail: str
    """What is wrong with which object, and how to fix it."""
    success: bool = Field(default=False)
    message: str


_MEANINGS = {
    400: "The request cannot be read",
    401: "Sign in first",
    403: "Not allowed with this role, or for this object",
    404: "Not found",
    409: "The state has changed",
    413: "The body is too large",
    422: "Well-formed, but invalid",
    429: "Too many requests",
    503: "Try again later",
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return OpenAPI responses of the given statuses as problem documents."""
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def problem_response(error: ShieldError) -> JSONResponse:
    """Return the response for `error`."""
    headers = {}
    document = to_problem(error)
    if isinstance(error, RateLimited | Unavailable):
        seconds = max(1, math.ceil(error.retry_after_seconds or 1))
        headers["Retry-After"] = str(seconds)
        document["retryAfterSeconds"] = seconds
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = 'Bearer realm="antispam-shield"'
    return JSONResponse(document, error.status, headers, MEDIA_TYPE)


def _on_validation(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    # The input itself is left out: it may be the message of a user, and it may not be JSON.
    faults = [
        {"where": ".".join(str(part) for part in fault["loc"]), "what": str(fault["msg"])}
        for fault in error.errors()[:20]
    ]
    unreadable = any(fault["type"] == "json_invalid" for fault in error.errors())
    first = faults[0] if faults else {"where": "body", "what": "it is missing"}
    kind = BadRequest if unreadable else Invalid
    message = f"{first['where']}: {first['what']}. See /docs for the shape that is expected."
    return problem_response(kind(_plain(message), errors=_plain_all(faults)))


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _plain_all(faults: list[dict[str, str]]) -> list[dict[str, str]]:
    return [{name: _plain(value) for name, value in fault.items()} for fault in faults]


def _on_http(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    kinds: dict[int, type[ShieldError]] = {404: NotFound, 413: TooLarge, 400: BadRequest}
    kind = kinds.get(error.status_code, ShieldError)
    made = ShieldError.__new__(kind)
    ShieldError.__init__(made, f"{request.method} {request.url.path}: {error.detail}. See /docs.")
    document = {**to_problem(made), "status": error.status_code, "title": str(error.detail)}
    headers = dict(error.headers or {})
    if error.status_code == 405:
        headers["Allow"] = ", ".join(sorted(_methods(request)))
    return JSONResponse(document, error.status_code, headers, MEDIA_TYPE)


def _methods(request: Request) -> set[str]:
    """Return the methods of all routes of a path; the framework gives only the first route's."""
    methods: set[str] = set()
    for route in request.app.routes:
        match, _ = route.matches({**request.scope, "type": "http"})
        if match is not Match.NONE:
            methods |= set(getattr(route, "methods", None) or ())
    return methods


def database_problem(error: SQLAlchemyError) -> ShieldError:
    """Log a database error; return 503 if a retry can succeed, else 500."""
    cause = cause_of(error)
    # The driver's own words name tables and columns, never values.
    message = str(getattr(error, "orig", error)).splitlines()[:1]
    logger.error(
        "database: %s: %s: %s (%s)",
        *(cause.value, type(error).__name__, *(message or [""]), _place_of(error)),
    )
    if cause is Cause.CONFLICT:
        return Unavailable(CONFLICTING_WRITES, retry_after_seconds=1)
    if cause is Cause.AWAY:
        return Unavailable(
            "The database does not answer, or cannot write. Try again in a moment.",
            retry_after_seconds=2,
        )
    return ShieldError(_BUG)


def _place_of(error: Exception) -> str:
    """Return file, line and function of the code that ran the statement."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if _OURS in Path(frame.filename).parents]
    return f"{ours[-1].filename}:{ours[-1].lineno} in {ours[-1].name}" if ours else "no frame"


def answer_to(error: ShieldError | SQLAlchemyError) -> JSONResponse:
    """Return the response to a failed request; log server errors."""
    if isinstance(error, ShieldError):
        if error.status >= 500:
            logger.error("request failed: %s", error.message, extra={"slug": error.slug})
        return problem_response(error)
    if isinstance(error, DataError):
        logger.warning("value refused by the database: %s", type(error).__name__)
        return problem_response(
            Invalid("A value cannot be stored: a number out of range, or an invalid character.")
        )
    return problem_response(database_problem(error))


def _on_ours(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ShieldError | SQLAlchemyError)
    return answer_to(error)


def _on_bug(request: Request, error: Exception) -> JSONResponse:
    return problem_response(ShieldError(_BUG))


def install(app: FastAPI) -> None:
    """Install exception handlers that respond with problem documents."""
    app.add_exception_handler(ShieldError, _on_ours)
    app.add_exception_handler(RequestValidationError, _on_validation)
    app.add_exception_handler(HTTPException, _on_http)
    app.add_exception_handler(SQLAlchemyError, _on_ours)
    app.add_exception_handler(Exception, _on_bug)
