"""Run one kind of fault many times under load, then settle the accounts."""

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from api.kit.keyring import new_ring
from bench.faults import kinds
from bench.faults.kinds import Kind
from bench.faults.ledger import Account, Ledger, reporting, settle
from bench.faults.stage import Stage, stage
from cli.home import write_whole
from tests.support.postgres import new_migrated_database
from tests.support.waiting import wait_until

HEALS_WITHIN_SECONDS = 10.0
_DISK_BYTES = "256m"


@dataclass(frozen=True)
class Report:
    """What one kind of fault did."""

    kind: str
    database: str
    runs: int
    healed_seconds: list[float]
    """From the end of each fault to the first good answer to what was asked after it; where a part
    has died, to the moment when it works again, if that is later."""
    account: Account
    asked_again: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    """Answers that no second try can better, with counts: there should be none."""
    told: dict[str, int] = field(default_factory=dict)
    """What callers were told meanwhile, with counts: clear refusals, to be asked again."""
    gaps_seconds: list[float] = field(default_factory=list)
    """The longest time without a good answer around each fault, the fault itself included."""

    def figures(self) -> dict[str, Any]:
        """Return what goes into the file of results."""
        healed = sorted(self.healed_seconds)
        gaps = sorted(self.gaps_seconds)
        longest = {"gap_worst_seconds": round(gaps[-1], 2)} if gaps else {}
        return {
            "kind": self.kind,
            "database": self.database,
            "runs": self.runs,
            "healed_median_seconds": round(healed[len(healed) // 2], 2),
            "healed_worst_seconds": round(healed[-1], 2),
            **longest,
            **asdict(self.account),
            "asked_again": self.asked_again,
            "refused": self.refused,
            "told": self.told,
        }


def run(kind: Kind, database: str, runs: int, between_seconds: float) -> Report:
    """Break the stage `runs` times while phones report, and hold their ledger against it."""
    ledger, healed, gaps = Ledger(), list[float](), list[float]()
    with _place(kind, database) as place:
        for number in range(runs):
            with reporting(place.phones(), ledger, number * 10**5 + 1):
                _flows(ledger)
                time.sleep(between_seconds)
                began = time.monotonic()
                with kind.fault(place):
                    pass
                ended = began if kind.fault is kinds.killed else time.monotonic()
                _flows(ledger)
                healed.append(ledger.answers.first_after(ended) or 0.0)
                gaps.append(ledger.answers.longest_gap(began, ended))
        account = settle(place.services, ledger)
    return Report(
        kind.name,
        database,
        runs,
        healed,
        account,
        ledger.asked_again,
        ledger.refused,
        gaps_seconds=gaps,
    )


def _flows(ledger: Ledger) -> None:
    since = time.monotonic()
    wait_until(
        lambda: ledger.answers.first_after(since) is not None,
        lambda: f"no report is acknowledged any more; refused: {ledger.refused}",
    )


@contextmanager
def _place(kind: Kind, database: str) -> Iterator[Stage]:
    with tempfile.TemporaryDirectory(prefix="shield-faults-") as root:
        folder = Path(root) / "at"
        folder.mkdir()
        changes: dict[str, str] = {}
        if kind.needs == "small disk":
            options = ["-t", "tmpfs", "-o", f"size={_DISK_BYTES}", "tmpfs", str(folder)]
            subprocess.run(["mount", *options], check=True)
        elif kind.needs == "forgetting disk":
            kinds.mount(folder, seed=0)
            # As `shieldctl up` writes it: the ring of the tests' own settings is not synced.
            write_whole(folder / "messages.json", new_ring(datetime.now(UTC)).encode())
        elif kind.needs == "clock":
            told = folder / "clock"
            told.write_text("+0h")
            changes = {
                "LD_PRELOAD": str(kinds.FAKETIME),
                "FAKETIME_TIMESTAMP_FILE": str(told),
                "FAKETIME_NO_CACHE": "1",
                "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            }
        url = new_migrated_database() if database == "postgresql" else None
        try:
            with stage(folder, url, **changes) as place:
                yield place
        finally:
            if kind.needs in ("small disk", "forgetting disk"):
                kinds.unmount(folder)
