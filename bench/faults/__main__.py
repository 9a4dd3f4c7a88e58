"""Measure what faults of the world do; write `bench/results/faults.json`: `python -m bench.faults`.

Phones report meanwhile and keep a ledger. Nothing that was acknowledged may be lost or doubled, and
each fault must be over within ten seconds of its end. Needs root (mounts), `/dev/fuse` and Debian's
packages `faketime` and `libfuse2`; a kind that cannot be made here is named as not run.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Iterator
from ctypes.util import find_library
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.faults import laptop, network, runs
from bench.faults.kinds import FAKETIME, KINDS, Kind
from bench.faults.runs import HEALS_WITHIN_SECONDS, Report
from bench.learning.outcome import Aim

RESULTS = Path("bench/results/faults.json")
_MODELS = ("silent", "closed", "half")
_STORE = ("error", "slow", "closed", "half", "silent")
_WANTED_KILLS, _WANTED_REPORTS = 200, 1_000_000


def main(arguments: list[str] | None = None) -> int:
    """Measure; return 0, missed aims or not: they are results, not failures."""
    parser = argparse.ArgumentParser(prog="python -m bench.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=80, help="of the API, on each database")
    parser.add_argument("--runs", type=int, default=20, help="of each other kind")
    parser.add_argument("--laptop", type=int, default=10, help="deaths of each part of `up`")
    parser.add_argument("--between", type=float, default=1.0, help="seconds before each fault")
    parser.add_argument("--only", help="kinds whose name contains this; nothing is kept")
    asked = parser.parse_args(arguments)
    began, load = time.monotonic(), os.getloadavg()[0]
    reports, missing = list[Report](), list[str]()
    for name, run in _all(asked, missing):
        if asked.only and asked.only not in name:
            continue
        for report in run():
            print(json.dumps(report.figures()), flush=True)
            reports.append(report)
    aims = _aims(reports, missing)
    for aim in aims:
        mark = "met   " if aim.met else "MISSED"
        print(f"{mark} {aim.name}: {aim.measured} (goal {aim.goal})", flush=True)
    if not asked.only:
        results = {
            "name": "faults",
            "machine": {
                "cores": os.cpu_count(),
                "load": round(load, 1),
                "python": platform.python_version(),
            },
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "figures": {
                "kinds": [report.figures() for report in reports],
                "not_run": missing,
                "seconds": round(time.monotonic() - began, 1),
            },
            "aims": [asdict(aim) for aim in aims],
        }
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


def _all(
    asked: argparse.Namespace, missing: list[str]
) -> Iterator[tuple[str, Callable[[], list[Report]]]]:
    for kind in KINDS:
        lack = lacks(kind)
        if lack:
            missing.append(f"{kind.name}: {lack}")
            continue
        times = asked.kills if kind.name == "kill -9" else asked.runs
        for database in kind.databases:
            yield (
                kind.name,
                lambda k=kind, d=database, t=times: [runs.run(k, d, t, asked.between)],  # type: ignore[misc]
            )
    for mode in _MODELS:
        yield f"model server {mode}", lambda m=mode: [network.models(m, asked.runs)]  # type: ignore[misc]
    for mode in _STORE:
        yield f"S3 {mode}", lambda m=mode: [network.store(m, asked.runs)]  # type: ignore[misc]
    yield "shieldctl up", lambda: laptop.run(asked.laptop)


def lacks(kind: Kind) -> str:
    """Return what this machine lacks for a kind of fault, or nothing."""
    if kind.needs in ("small disk", "forgetting disk") and os.geteuid() != 0:
        return "mounting needs root"
    if kind.needs == "forgetting disk" and not Path("/dev/fuse").exists():
        return "/dev/fuse is not there"
    if kind.needs == "forgetting disk" and not (find_library("fuse3") or find_library("fuse")):
        return "libfuse is not installed (Debian's package `libfuse2`)"
    if kind.needs == "clock" and not FAKETIME.exists():
        return "Debian's package `faketime` is not installed"
    return ""


def _aims(reports: list[Report], missing: list[str]) -> list[Aim]:
    acknowledged = sum(report.account.acknowledged for report in reports)
    lost = sum(report.account.lost + report.account.other for report in reports)
    doubled = sum(report.account.doubled for report in reports)
    kills = sum(report.runs for report in reports if "kill" in report.kind)
    slowest = max(reports, key=lambda report: max(report.healed_seconds))
    worst = max(slowest.healed_seconds)
    refused = {told for report in reports for told in report.refused}
    return [
        Aim(
            "acknowledged reports lost or doubled",
            "0",
            f"{lost} lost, {doubled} doubled",
            lost + doubled == 0,
        ),
        Aim(
            "acknowledged reports in all",
            f">= {_WANTED_REPORTS}",
            str(acknowledged),
            acknowledged >= _WANTED_REPORTS,
            ""
            if acknowledged >= _WANTED_REPORTS
            else "two cores take some 300 reports a second: "
            "a million would be an hour without any fault; run with more --kills and --between",
        ),
        Aim("kill -9 under load", f">= {_WANTED_KILLS}", str(kills), kills >= _WANTED_KILLS),
        Aim(
            "from the end of a fault to the next acknowledgement, worst",
            f"<= {HEALS_WITHIN_SECONDS:.0f} s",
            f"{worst:.1f} s ({slowest.kind}, {slowest.database})",
            worst <= HEALS_WITHIN_SECONDS,
        ),
        Aim(
            "kinds that could not be made here",
            "0",
            str(len(missing)),
            not missing,
            "; ".join(missing),
        ),
        Aim(
            "reports refused for good",
            "0",
            str(len(refused)),
            not refused,
            "; ".join(sorted(refused)[:5]),
        ),
    ]


if __name__ == "__main__":
    raise SystemExit(main())
