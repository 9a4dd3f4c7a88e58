"""Build plain responses, and read the parts of a request that all routes use."""

import json
import re
from typing import Any

from serving.server.http import MethodNotAllowed, Request, Response
from serving.server.jobs import Scored
from serving.server.model import ServedModel
from serving.server.repository import Repository
from shield.predictor import OPERATING_POINT

_REQUEST_ID = b"x-request-id"
# It is sent back in a header and shown in reports: nothing but harmless characters.
_PRINTABLE = re.compile(rb"[!-~]{1,128}")


def plain(model: ServedModel, scored: Scored, unreadable: int) -> Response:
    """Return the response of `/predict`; `unreadable` is the number of replaced characters."""
    predictions = []
    for score in scored.probabilities:
        scam = score >= OPERATING_POINT
        predictions.append(
            {
                "label": model.predictor.package.manifest.labels[scam],
                "probability": score,
                # Measured from the operating point: never below one half.
                "confidence": score if scam else 1 - score,
                "certainty": model.predictor.certainty(score),
            }
        )
    return json_response(
        {
            "modelVersion": model.version,
            "arm": model.arm,
            "digest": model.digest,
            "predictions": predictions,
            "processorMs": scored.processor_ms,
            **({"unreadableCharacters": unreadable} if unreadable else {}),
        }
    )


def json_response(document: Any, status: int = 200) -> Response:
    """Return a document as JSON."""
    return Response(json.dumps(document).encode(), status)


def index(repository: Repository) -> Response:
    """Return the repository index: every version with its state and role."""
    return json_response(
        [
            {
                "name": model.name,
                "version": model.version,
                "state": "UNAVAILABLE" if model.breaker.open else "READY",
                "reason": f"circuit open: {model.breaker.fault}" if model.breaker.open else "",
                "active": model is repository.active,
                "arm": model.arm,
                "digest": model.digest,
            }
            for model in repository.versions.values()
        ]
    )


def only(request: Request, *methods: str) -> None:
    """Raise `MethodNotAllowed` for other methods. GET includes HEAD."""
    if "GET" in methods:
        methods = (*methods, "HEAD")
    if request.method not in methods:
        error = MethodNotAllowed(
            f"{request.path[:100]} takes {' or '.join(methods)}, not {request.method}."
        )
        error.allowed = methods
        raise error


def request_id(request: Request) -> str | None:
    """Return the client's request id, if it is safe to echo."""
    header = request.headers.get(_REQUEST_ID)
    if header is None or not _PRINTABLE.fullmatch(header):
        return None
    return header.decode()


def deadline_header(request: Request) -> str | None:
    """Return the raw value of `x-deadline-ms`."""
    value = request.headers.get(b"x-deadline-ms")
    return None if value is None else value.decode("latin-1")
