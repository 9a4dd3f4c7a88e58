"""A scan, and a page of one's own scans, at growing numbers of stored scans (PostgreSQL)."""

import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Engine, text

from api.kit.auth import Principal
from api.kit.context import open_context
from api.kit.paging import PageRequest
from api.kit.partitions import make_ahead
from api.kit.tokens import Role
from api.scans import service as scans
from bench.scans.path import deploy
from shield.labels import ModelType, ScanType
from shield.reasons import Reader
from shield.wire import ScanRequest
from tests.support.api import MovableClock, running_services
from tests.support.arms import model_server
from tests.support.postgres import new_migrated_database
from tests.support.waiting import wait_until

_REPEATS = 100
_OF_ONE = 200
"""Scans of each of the users that are filled in."""

_DAYS = 30
"""The scans are of so many days, each of which has its partition."""

# As the API writes them, spread over the days; texts are not read by what is measured.
_FILL = f"""
INSERT INTO scans (id, user_id, scan_type, model_type, text_sealed, fingerprint, sketch, verdict,
 positive, probability, confidence, certainty, model_version, arm, forced, latency_ms, processor_ms,
 created_at)
SELECT lpad(to_hex(CAST(:start * 1000 AS bigint) + n * 7919 % {_DAYS * 86_400} * 1000), 12, '0')
 || left(md5('s' || n), 20), 'phone-' || n / {_OF_ONE}, 'text',
 'sms', NULL, md5('f' || n), decode(md5('a' || n) || repeat(md5('b' || n), 12), 'hex'), 'ham',
 false, 0.01, 0.99, 'sure', 'sms-v1', 'stable', false, 4.0, 3.0,
 to_timestamp(:start + n * 7919 % {_DAYS * 86_400})
FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) AS n
"""


def measure(sizes: list[int]) -> list[dict[str, float]]:
    """Return the milliseconds of a scan and of a page of own scans at each size."""
    found = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clock = MovableClock(ahead_seconds=_DAYS * 86_400)
        services = stack.enter_context(
            running_services(folder, new_migrated_database(), clock=clock)
        )
        with services.sessions() as session:
            make_ahead(session, "scans", clock(), "day")
            session.commit()
        loop = stack.enter_context(asyncio.Runner())
        deploy(services.rollouts, stack.enter_context(model_server()))
        services.router.start()
        stack.callback(services.router.stop)
        stack.callback(services.together.stop)
        wait_until(lambda: services.router.split(ModelType.SMS) is not None)
        present = 0
        for size in sizes:
            _fill(services.engine, clock.start, present, size)
            present = size
            judged, pages = [], []
            for number in range(_REPEATS):
                user = Principal(f"phone-{number * 7 % (size // _OF_ONE)}", frozenset({Role.USER}))
                request = ScanRequest(scan_type=ScanType.TEXT, text=f"See you at {number}, ok?")
                started = time.perf_counter()
                loop.run(scans.scan(services, user, request, None, Reader()))
                judged.append(time.perf_counter() - started)
                with open_context(services, user, reads=True) as ctx:
                    started = time.perf_counter()
                    scans.own_scans(ctx, PageRequest(20, 1, None), Reader())
                    pages.append(time.perf_counter() - started)
            one = {
                "rows": size,
                "scan_ms": 1000 * statistics.median(judged),
                "page_ms": 1000 * statistics.median(pages),
            }
            sys.stderr.write(f"{one}\n")
            found.append(one)
    return found


def _fill(engine: Engine, start: float, present: int, size: int) -> None:
    step = 200_000
    for first in range(present, size, step):
        with engine.begin() as connection:
            connection.execute(text("SET LOCAL synchronous_commit = off"))
            last = min(first + step, size) - 1
            connection.execute(text(_FILL), {"start": start, "first": first, "last": last})
    with engine.begin() as connection:
        connection.execute(text("ANALYZE scans"))
