"""What every client library does with each answer: one table and one story for all of them."""

import copy
import json
import random
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from shield.wire import FEWEST_SCANS, KEPT_SHARE, DeviceAnswer
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
    (429, "31536000", "wait", "all", 86_400),  # nobody waits longer than a day
    (500, "1e300", "wait", "letter", 86_400),
    (503, "Fri, 01 Jan 2100 00:00:00 GMT", "wait", "all", 86_400),
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

_TAKEN: list[Any] = [
    *(201, {}),
    {
        "data": {
            "scanId": "server-r",
            "verdict": "ham",
            "modelVersion": "sms-v1",
            "agrees": False,
            "feedbackId": "f",
        }
    },
]
MIXED: dict[str, list[list[Any]]] = {
    "r": [[408, {"Retry-After": "4"}, {}], _TAKEN],
    "b": [_OK],
    "v1": [[425, {}, {}], [500, {}, {}], _OK],
    "v2": [[422, {}, {"message": "This version was never on phones."}]],
    "server-r": [_OK],
}
"""Answers to a report on the device's verdict on the message `r` (scam, and its owner says
harmless), to feedback on the scan `b`, to a full lot of the versions `v1` and `v2` each, and to
what the owner says of `r` before the last round: that it is a scam after all. That is about the
server's scan."""
MIXED_ROUNDS = [
    [0, 2, 4],  # the report came too slowly; all must wait
    [2, 0, 0.5],  # both letters; and the lot came too early
    [0, 0, 1],  # a fault over the one lot; the other one will never be taken
    [1, 0, None],
]
"""Sent, waiting, and the pause after rounds at 10, 4010, 4510 and 5510 ms, with the dice at 0."""
MIXED_SENT = ["r", "r", "b", "v1", "v1", "v2", "server-r", "v1"]


FULL: dict[str, list[list[Any]]] = {
    "a": [_OK],
    "b": [[503, {"Retry-After": "90"}, {}], _OK],
    "c": [_OK],
}
"""Answers to three letters of a device that is full: once a was sent, and once b was to wait, its
storage cannot be written."""
FULL_ROUNDS = [
    [0, 60],  # a has arrived, which cannot be noted: nothing else is sent
    [0, 60],  # nor is a
    [1, 90],  # there is room: a is noted, b is answered, and its pause cannot be stored
    [0, 30],  # but holds
    [2, None],
]
"""Letters that were noted as sent, and the pause, after rounds at 10, 20, 60010, 120010 and 150010
ms, with the dice at 0; the storage can be written from 60000 ms on, but for pauses."""
FULL_SENT = ["a", "b", "b", "c"]


def counting_story() -> dict[str, Any]:
    """Return answers of two versions, the draws that make them counts, and those counts in order.

    Each is the version and the numbers of harmless, scam and unsure.
    """
    dice, names = random.Random(20), [answer.value for answer in DeviceAnswer]
    answers = [[dice.choice(["v1", "v1", "v2"]), dice.choice(names)] for _ in range(100)]
    draws: list[float] = []
    tallies: list[list[Any]] = []
    for version, answer in answers:
        draws.append(dice.random())
        said = answer
        if draws[-1] >= KEPT_SHARE:
            draws.append(dice.random())
            said = names[int(draws[-1] * len(names))]
        mine = [each for each in tallies if each[0] == version and sum(each[1:]) < FEWEST_SCANS]
        if not mine:
            mine = [[version, 0, 0, 0]]
            tallies += mine
        mine[0][1 + names.index(said)] += 1
    return {"answers": answers, "draws": draws, "tallies": tallies}


@contextmanager
def scripted(script: dict[str, list[list[Any]]]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Answer each letter by what stands in `script`, which a real API cannot be made to.

    Feedback is named by its scan, a report by its text, a lot by its version. Yields the URL, and
    the list of names and keys that were sent.
    """
    left = copy.deepcopy(script)
    sent: list[tuple[str, str]] = []

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = next(body[each] for each in ("scanId", "text", "version") if each in body)
            sent.append((name, self.headers["Idempotency-Key"]))
            status, headers, document = left[name].pop(0)
            answer = json.dumps(document).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": "application/json"}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

    with serving(Handler) as origin:
        yield origin, sent
