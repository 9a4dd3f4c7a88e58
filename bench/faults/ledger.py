"""Phones that go on reporting, and a ledger of what was acknowledged to them.

A phone asks again, with the same key, until its report is acknowledged: that is what `/app` does.
The ledger is the phones' own; at the end it is held against the database.
"""

import http.client
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from sqlalchemy import func, insert, select

from api.kit.context import Services
from api.kit.ids import new_id
from api.tables import Feedback, Scan
from bench.feedback.rows import message, scan_row

PHONES = 8
_CHUNK = 2000
_PAUSE_SECONDS = 0.02
_AWAY_SECONDS = 0.1
"""Between two tries while nobody listens."""
_PATIENCE_SECONDS = 3.0
"""A phone gives up on one request after this long, and asks again."""


@dataclass
class Answers:
    """When good answers came, and when they were asked for, in monotonic seconds."""

    spans: list[tuple[float, float]] = field(default_factory=list)
    """Asked, answered."""

    def note(self, asked: float) -> None:
        """Take note of a good answer that has just come."""
        self.spans.append((asked, time.monotonic()))

    def first_after(self, moment: float) -> float | None:
        """Return the seconds from a moment to the first answer to what was asked after it.

        An answer that was on its way at that moment says nothing of what came after.
        """
        later = [came for asked, came in self.spans[-4000:] if asked > moment]
        return min(later) - moment if later else None

    def longest_gap(self, since: float, until: float) -> float:
        """Return the longest time without an answer that overlaps `since` to `until`, in seconds.

        It reaches from the last answer before `since` to the first after `until`.
        """
        came = sorted(at for _, at in self.spans)
        before = [at for at in came if at <= since][-1:]
        after = [at for at in came if at >= until][:1]
        within = [at for at in came if since < at < until]
        moments = [*before, *within, *after]
        return max((b - a for a, b in itertools.pairwise(moments)), default=0.0)


@dataclass
class Ledger:
    """What phones were told; shared by their threads."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    """Identifier of the report, by scan."""
    answers: Answers = field(default_factory=Answers)
    asked_again: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    """Answers that were neither an acknowledgement nor a wish to be asked again, with counts."""


@dataclass(frozen=True)
class Account:
    """The ledger held against the database."""

    acknowledged: int
    lost: int
    doubled: int
    other: int
    """Acknowledged under another identifier than the database has."""


@dataclass(frozen=True)
class Phones:
    """Where phones send what, and as whom."""

    host: str
    port: Callable[[], int]
    services: Services
    token: Callable[[str], str]
    filling: threading.Lock
    """Held while scans are written past the API; a fault that takes the files away takes it."""


@contextmanager
def reporting(phones: Phones, ledger: Ledger, first: int) -> Iterator[None]:
    """Report scans from message number `first` on, until the block ends.

    What is on its way then is asked for until it is acknowledged.
    """
    stop = threading.Event()
    threads = [
        threading.Thread(target=_phone, args=(phones, ledger, first + place * 10**7, place, stop))
        for place in range(PHONES)
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def settle(services: Services, ledger: Ledger) -> Account:
    """Hold the ledger against the database."""
    told = ledger.acknowledged
    with services.sessions() as session:
        rows: dict[str, str] = {}
        for scan_id, feedback_id in session.execute(select(Feedback.scan_id, Feedback.id)):
            rows[scan_id] = feedback_id
        doubled = session.execute(
            select(func.count()).select_from(
                select(Feedback.scan_id)
                .group_by(Feedback.scan_id)
                .having(func.count() > 1)
                .subquery()
            )
        ).scalar_one()
    lost = [scan for scan in told if scan not in rows]
    other = [scan for scan, report in told.items() if scan in rows and rows[scan] != report]
    return Account(len(told), len(lost), int(doubled), len(other))


def write_scans(services: Services, user: str, first: int, count: int) -> list[str]:
    """Write scans straight into the database, to be reported; return their ids."""
    now = services.clock()
    rows = [
        scan_row(services, new_id(now), user, message(20_000_000 + number), now)
        for number in range(first, first + count)
    ]
    with services.sessions() as session:
        session.execute(insert(Scan), rows)
        session.commit()
    return [str(row["id"]) for row in rows]


def _phone(phones: Phones, ledger: Ledger, first: int, place: int, stop: threading.Event) -> None:
    user = f"phone-{place}"
    token, waiting, number = phones.token(user), list[str](), first
    connection: http.client.HTTPConnection | None = None
    while not stop.is_set():
        if not waiting:
            # The database may be away as well: asked again in a moment.
            with phones.filling, suppress(Exception):
                waiting = write_scans(phones.services, user, number, 200)
                number += 200
            stop.wait(_PAUSE_SECONDS)
            continue
        scan = waiting.pop()
        since = time.monotonic()
        while True:
            connection, done = _ask(phones, connection, token, scan, ledger)
            if done or (stop.is_set() and time.monotonic() - since > 60):
                break
            ledger.asked_again += 1
            time.sleep(_PAUSE_SECONDS if connection else _AWAY_SECONDS)


def _ask(
    phones: Phones,
    connection: http.client.HTTPConnection | None,
    token: str,
    scan: str,
    ledger: Ledger,
) -> tuple[http.client.HTTPConnection | None, bool]:
    """Send one report; return the connection, if it still serves, and whether this one is over."""
    body = json.dumps({"scanId": scan, "feedbackType": "false_negative"})
    head = {
        "Authorization": f"Bearer {token}",
        "Idempotency-Key": f"tap-{scan}",
        "Content-Type": "application/json",
    }
    asked = time.monotonic()
    try:
        if connection is None:
            connection = http.client.HTTPConnection(
                phones.host, phones.port(), timeout=_PATIENCE_SECONDS
            )
        connection.request("POST", "/api/v2/feedback", body, head)
        answer = connection.getresponse()
        read = answer.read()
    except (OSError, http.client.HTTPException):
        if connection is not None:
            connection.close()
        return None, False
    if answer.status in (200, 201):
        ledger.acknowledged[scan] = str(json.loads(read)["data"]["id"])
        ledger.answers.note(asked)
        return connection, True
    if answer.status >= 500 or answer.status == 429:
        return connection, False
    told = f"{answer.status} {read[:200].decode('utf-8', 'replace')}"
    ledger.refused[told] = ledger.refused.get(told, 0) + 1
    return connection, True
