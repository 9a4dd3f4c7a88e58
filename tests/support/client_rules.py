"""What every client library does with each answer: one table and one story for all of them."""

import copy
import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.support.http_server import Quiet, serving

RULES: list[tuple[int | None, str | None, str, str | None, float | None]] = [
    (None, None, "wait", "none", 2),  # half of the four seconds after the third try
    (401, None, "sign-in", None, None),
    (408, None, "wait", "all", 2),
    (425, None, "wait", "all", 2),
    (429, "7", "wait", "all", 7),
    (429, "soon", "wait", "all", 2),
    (500, None, "wait", "letter", 2),
    (502, None, "wait", "all", 2),
    (503, "Thu, 01 Jan 1970 00:00:40 GMT", "wait", "all", 40),
    (599, "-1", "wait", "all", 2),
    *(
        (status, None, "refused", None, None)
        for status in (400, 403, 404, 409, 410, 413, 422, 451, 499)
    ),
]
"""Status (None: no answer) and Retry-After at the beginning of 1970; what to do after the third try
with the dice at 0, what is held meanwhile, and for how many seconds."""

_OK: list[Any] = [201, {}, {"data": {"id": "x"}}]
STUBBORN: dict[str, list[list[Any]]] = {
    "a": [[500, {}, {}], _OK],
    "b": [_OK],
    "c": [[503, {"Retry-After": "9"}, {}], [302, {"Location": "http://hotel.example/"}, {}], _OK],
    "d": [_OK],
}
"""Answers to each of four letters, in order."""
STUBBORN_ROUNDS = [
    [1, 3, 9],  # a is kept and b sent; c is told that all must wait
    [0, 3, 8.41],  # a may go again, but not yet
    [1, 2, 1],  # a; and c has met a hotel
    [2, 0, None],
]
"""Sent, waiting, and the pause after rounds at 10, 600, 9010 and 9011 ms, with the dice at 0."""
STUBBORN_SENT = ["a", "b", "c", "a", "c", "c", "d"]


@contextmanager
def scripted(script: dict[str, list[list[Any]]]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Answer feedback on each scan by what stands in `script`, which a real API cannot be made to.

    Yields the URL, and the list of scans and keys that were sent.
    """
    left = copy.deepcopy(script)
    sent: list[tuple[str, str]] = []

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            sent.append((body["scanId"], self.headers["Idempotency-Key"]))
            status, headers, document = left[body["scanId"]].pop(0)
            answer = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with serving(Handler) as origin:
        yield origin, sent
