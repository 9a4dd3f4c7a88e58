"""The whole system as `shieldctl up` runs it, with each of its processes killed under load."""

import os
import signal
import sqlite3
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.faults.ledger import Account, Answers
from bench.faults.runs import Report
from shield.client import ShieldClient
from shield.errors import ShieldError
from shield.labels import LABELS, FeedbackType, ModelType, ScanType
from tests.support.system import System, descendants, running_system, serve
from tests.support.waiting import wait_until

PARTS = {
    "model server": "serving.server",
    "operator": "serving.operator.local",
    "API": "-m api",
    "supervisor": "",
}
"""In this order: each outlives the deaths before its own."""
_PHONES = 4
_TEXT = "Your parcel is held at customs. Pay the 1.99 fee here: http://parcel-fee.example no {}"


class _Load:
    """Phones that scan and object, each again until it is answered."""

    def __init__(self, client: ShieldClient) -> None:
        self._client = client
        self._stop = threading.Event()
        self.acknowledged: dict[str, str] = {}
        self.answers = Answers()
        self.asked_again, self.last = 0, ""
        self.refused: dict[str, int] = {}

    def work(self, place: int) -> None:
        """Scan and object until told to stop."""
        number = 0
        while not self._stop.is_set():
            number += 1
            self._one(f"{place}-{number}-{time.monotonic_ns()}")

    def end(self) -> None:
        """Stop; what is on its way is finished."""
        self._stop.set()

    def _one(self, mark: str) -> None:
        scan = None
        for _ in range(3000):
            asked = time.monotonic()
            try:
                scan = scan or self._client.scan(ScanType.TEXT, _TEXT.format(mark))
                kind = (
                    FeedbackType.FALSE_POSITIVE
                    if scan.verdict == LABELS[ModelType.SMS].positive
                    else FeedbackType.FALSE_NEGATIVE
                )
                sent = self._client.send_feedback(scan.id, kind, idempotency_key=f"tap-{mark}")
            except ShieldError as fault:
                if fault.status < 500 and fault.status != 429:
                    told = f"{fault.status} {fault}"[:200]
                    self.refused[told] = self.refused.get(told, 0) + 1
                    return
                self.asked_again += 1
                self.last = str(fault)
                if self._stop.wait(0.05):
                    return
                continue
            self.acknowledged[scan.id] = sent.id
            self.answers.note(asked)
            return


def name_of(part: str) -> str:
    """Return what the kind is called in the results."""
    return f"shieldctl up: {part} killed"


@dataclass
class _Part:
    """What the deaths of one part did."""

    healed: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)
    loads: list[_Load] = field(default_factory=list)


def run(runs: int) -> list[Report]:
    """Kill each part `runs` times: the first three in a running system, then the supervisor.

    A part that dies again and again is started later and later; so a system that was started anew
    sees one death of each.
    """
    parts = {part: _Part() for part in PARTS}
    os.environ |= {"SHIELD_API_RATE_PER_USER": "", "SHIELD_API_RATE_PER_ADDRESS": ""}
    with tempfile.TemporaryDirectory(prefix="shield-faults-") as root, ExitStack() as stack:
        home = Path(root) / "home"
        system = stack.enter_context(running_system(home))
        serve(system, Path(root))
        for _ in range(runs):
            for part, command in PARTS.items():
                with _reporting(system) as load:
                    _flows(load)
                    if part != "supervisor":
                        _killed(system, command, load, parts[part])
                        continue
                    began = time.monotonic()
                    os.kill(system.process.pid, signal.SIGKILL)
                    system.process.wait()
                    load.end()
                    stack.pop_all().close()
                    system = stack.enter_context(running_system(home))
                    with _reporting(system) as again:
                        _flows(again)
                    parts[part].healed.append(again.answers.first_after(began) or 0.0)
                    parts[part].gaps.append(parts[part].healed[-1])
                    parts[part].loads.append(again)
                parts[part].loads.append(load)
        stack.close()
        return [_report(home, runs, part, done) for part, done in parts.items()]


def _killed(system: System, command: str, load: _Load, part: _Part) -> None:
    """Kill one part, and wait until it runs again and reports are acknowledged by what runs."""
    before = _pid(system, command)
    began = time.monotonic()
    os.kill(before, signal.SIGKILL)
    wait_until(
        lambda: _pid(system, command) not in (0, before),
        lambda: f"{command} is not started again",
        pause_seconds=0.02,
    )
    again = time.monotonic()
    _flows(load, again)
    part.healed.append(again - began + (load.answers.first_after(again) or 0.0))
    part.gaps.append(load.answers.longest_gap(began, again))
    part.loads.append(load)


def _report(home: Path, runs: int, part: str, done: _Part) -> Report:
    acknowledged: dict[str, str] = {}
    refused: dict[str, int] = {}
    for load in done.loads:
        acknowledged |= load.acknowledged
        refused |= load.refused
    return Report(
        name_of(part),
        "sqlite",
        runs,
        done.healed,
        _settle(home, acknowledged),
        sum(load.asked_again for load in done.loads),
        refused,
        gaps_seconds=done.gaps,
    )


def _flows(load: _Load, since: float | None = None) -> None:
    moment = time.monotonic() if since is None else since
    wait_until(
        lambda: load.answers.first_after(moment) is not None,
        lambda: (
            f"no report is acknowledged any more; refused: {load.refused}, "
            f"asked again {load.asked_again} times: {load.last}"
        ),
    )


@contextmanager
def _reporting(system: System) -> Iterator[_Load]:
    with system.client("phone", "user") as client:
        load = _Load(client)
        threads = [threading.Thread(target=load.work, args=(place,)) for place in range(_PHONES)]
        for thread in threads:
            thread.start()
        try:
            yield load
        finally:
            load.end()
            for thread in threads:
                thread.join()


def _pid(system: System, command: str) -> int:
    if not command:
        return system.process.pid
    for pid in descendants(system.process.pid):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        if command in words and "cli.leash" not in words:
            return pid
    return 0


def _settle(home: Path, acknowledged: dict[str, str]) -> Account:
    (database,) = home.glob("**/shield.db")
    with sqlite3.connect(database) as connection:
        rows = connection.execute("SELECT scan_id, id FROM feedback").fetchall()
    stored = dict(rows)
    reported = Counter(scan for scan, _ in rows)
    return Account(
        len(acknowledged),
        sum(scan not in stored for scan in acknowledged),
        sum(reported[scan] > 1 for scan in acknowledged),
        sum(stored.get(scan, report) != report for scan, report in acknowledged.items()),
    )
