"""The whole system as `shieldctl up` runs it, with each of its processes killed under load."""

import os
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.faults.ledger import Account
from bench.faults.runs import Report
from shield.client import ShieldClient
from shield.errors import ShieldError
from shield.labels import LABELS, FeedbackType, ModelType, ScanType
from tests.support.system import System, descendants, running_system, serve
from tests.support.waiting import wait_until

PARTS = {
    "API": "-m api",
    "operator": "serving.operator.local",
    "model server": "serving.server",
    "supervisor": "",
}
_PHONES = 4
_TEXT = "Your parcel is held at customs. Pay the 1.99 fee here: http://parcel-fee.example no {}"


class _Load:
    """Phones that scan and object, each again until it is answered."""

    def __init__(self, client: ShieldClient) -> None:
        self._client = client
        self._stop = threading.Event()
        self.acknowledged: dict[str, str] = {}
        self.at: list[float] = []
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
            self.at.append(time.monotonic())
            return

    def first_after(self, moment: float) -> float | None:
        """Return the seconds from a moment to the first acknowledgement after it."""
        later = [at for at in self.at[-1000:] if at > moment]
        return min(later) - moment if later else None


def run(runs: int) -> list[Report]:
    """Kill each part `runs` times, each time in a system that was started for it.

    A part that dies again and again is started later and later; here each death is the first.
    """
    found: dict[str, list[float]] = {part: [] for part in PARTS}
    accounts: dict[str, list[Account]] = {part: [] for part in PARTS}
    asked = dict.fromkeys(PARTS, 0)
    refused: dict[str, dict[str, int]] = {part: {} for part in PARTS}
    os.environ |= {"SHIELD_API_RATE_PER_USER": "", "SHIELD_API_RATE_PER_ADDRESS": ""}
    for _ in range(runs):
        with tempfile.TemporaryDirectory(prefix="shield-faults-") as root:
            folder = Path(root)
            for part, command in PARTS.items():
                with running_system(folder / "home") as system:
                    if part == "API":
                        serve(system, folder)
                    with _reporting(system) as load:
                        _flows(load)
                        began = time.monotonic()
                        os.kill(_pid(system, command), signal.SIGKILL)
                        if part == "supervisor":
                            system.process.wait()
                            with (
                                running_system(folder / "home") as again,
                                _reporting(again) as next_,
                            ):
                                _flows(next_)
                                found[part].append(next_.at[0] - began)
                                load.acknowledged |= next_.acknowledged
                        else:
                            _flows(load, began)
                            found[part].append(load.first_after(began) or 0.0)
                            if part == "operator":
                                wait_until(lambda s=system, c=command: _pid(s, c))  # type: ignore[misc]
                    asked[part] += load.asked_again
                    refused[part] |= load.refused
                accounts[part].append(_settle(folder / "home", load.acknowledged))
    return [
        Report(
            f"shieldctl up: {part} killed",
            "sqlite",
            runs,
            found[part],
            _sum(accounts[part]),
            asked[part],
            refused[part],
        )
        for part in PARTS
    ]


def _flows(load: _Load, since: float | None = None) -> None:
    moment = time.monotonic() if since is None else since
    wait_until(
        lambda: load.first_after(moment) is not None,
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
    return Account(
        len(acknowledged),
        sum(scan not in stored for scan in acknowledged),
        len(rows) - len(stored),
        sum(stored.get(scan, report) != report for scan, report in acknowledged.items()),
    )


def _sum(accounts: list[Account]) -> Account:
    names = ("acknowledged", "lost", "doubled", "other")
    return Account(*(sum(getattr(each, name) for each in accounts) for name in names))
