"""Measure what faults of the world do; write `bench/results/faults.json`: `python -m bench.faults`.

Phones report meanwhile and keep a ledger. Nothing that was acknowledged may be lost or doubled, and
each fault must be over within ten seconds of its end. Needs root (mounts), `/dev/fuse` and Debian's
packages `faketime` and `libfuse2`; a kind that cannot be made here is named as not run.

The whole takes the better part of an hour on two cores, so it may be done in parts: what is in the
file of results is not measured again. `--minutes 25` begins no further kind after so long; run it
again to go on. `--again` begins anew.
"""

import argparse
import json
import os
import platform
import time
from collections.abc import Callable
from ctypes.util import find_library
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.ending import end_in_order
from bench.faults import laptop, network, operator, runs
from bench.faults.kinds import FAKETIME, KINDS, Kind
from bench.faults.runs import HEALS_WITHIN_SECONDS, Report
from bench.outcome import Aim

RESULTS = Path("bench/results/faults.json")
_MODELS = ("silent", "closed", "half")
_STORE = ("error", "slow", "closed", "half", "silent")
_WANTED_KILLS, _WANTED_REPORTS = 200, 1_000_000
Row = dict[str, Any]


@dataclass(frozen=True)
class Task:
    """Some kinds of fault that are measured together."""

    names: tuple[tuple[str, str], ...]
    """Kind and database, as they stand in the file of results."""
    run: Callable[[], list[Report]]


def main(arguments: list[str] | None = None) -> int:
    """Measure; return 0, missed aims or not: they are results, not failures."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.faults",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--kills", type=int, default=60, help="of the API, on each database")
    parser.add_argument("--runs", type=int, default=20, help="of each other kind")
    parser.add_argument("--laptop", type=int, default=20, help="deaths of each part of `up`")
    parser.add_argument("--between", type=float, default=0.5, help="seconds before each fault")
    parser.add_argument("--only", default="", help="kinds whose name contains this")
    parser.add_argument("--minutes", type=float, help="begin no further kind after so long")
    parser.add_argument("--again", action="store_true", help="measure what is in the file, too")
    parser.add_argument("--into", type=Path, default=RESULTS, help="the file of results")
    asked = parser.parse_args(arguments)
    minutes = float("inf") if asked.minutes is None else asked.minutes
    ends = time.monotonic() + minutes * 60
    rows = _known(asked.into)
    if asked.again:
        rows = [row for row in rows if asked.only not in row["kind"]]
    missing = list[str]()
    tasks = _tasks(asked, missing)
    for task in tasks:
        done = {(row["kind"], row["database"]) for row in rows}
        wanted = [name for name in task.names if name not in done and asked.only in name[0]]
        if not wanted or time.monotonic() > ends:
            continue
        began, load = time.monotonic(), os.getloadavg()[0]
        for report in task.run():
            row = report.figures() | {
                "date": datetime.now(UTC).isoformat(timespec="seconds"),
                "load_before": round(load, 1),
                "seconds": round(time.monotonic() - began, 1),
            }
            print(json.dumps(row), flush=True)
            same = (row["kind"], row["database"])
            rows = [one for one in rows if (one["kind"], one["database"]) != same] + [row]
        # After each, so that nothing is measured in vain.
        _write(asked.into, rows, tasks, missing)
    if rows:
        for aim in _write(asked.into, rows, tasks, missing):
            mark = "met   " if aim.met else "MISSED"
            print(f"{mark} {aim.name}: {aim.measured} (goal {aim.goal}) {aim.note}", flush=True)
    return 0


def _known(path: Path) -> list[Row]:
    if not path.exists():
        return []
    kinds: list[Row] = json.loads(path.read_text(encoding="utf-8"))["figures"]["kinds"]
    return kinds


def _write(path: Path, rows: list[Row], tasks: list[Task], missing: list[str]) -> list[Aim]:
    done = {(row["kind"], row["database"]) for row in rows}
    left = [
        f"{kind} ({database}): not run yet"
        for task in tasks
        for kind, database in task.names
        if (kind, database) not in done
    ]
    aims = _aims(rows, missing + left)
    results = {
        "name": "faults",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "figures": {"kinds": rows, "not_run": missing + left},
        "aims": [asdict(aim) for aim in aims],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return aims


def _tasks(asked: argparse.Namespace, missing: list[str]) -> list[Task]:
    """Return all kinds, what matters most first; add to `missing` what cannot be made here."""
    faults = list[Task]()
    for kind in KINDS:
        lack = lacks(kind)
        if lack:
            missing.append(f"{kind.name}: {lack}")
            continue
        times = asked.kills if kind.name == "kill -9" else asked.runs
        faults += [
            Task(
                ((kind.name, database),),
                lambda k=kind, d=database, t=times: [runs.run(k, d, t, asked.between)],  # type: ignore[misc]
            )
            for database in kind.databases
        ]
    parts = tuple((laptop.name_of(part), "sqlite") for part in laptop.PARTS)
    partitions = [
        Task(
            ((operator.name_of(place), "sqlite"),),
            lambda p=place: [operator.cut_off(p, asked.runs)],  # type: ignore[misc]
        )
        for place in operator.STANDS
    ]
    partitions += [
        Task(
            ((network.models_name(mode), "sqlite"),),
            lambda m=mode: [network.models(m, asked.runs)],  # type: ignore[misc]
        )
        for mode in _MODELS
    ]
    partitions += [
        Task(
            ((network.store_name(mode), "sqlite"),),
            lambda m=mode: [network.store(m, asked.runs)],  # type: ignore[misc]
        )
        for mode in _STORE
    ]
    kills = [task for task in faults if task.names[0][0] == "kill -9"]
    others = [task for task in faults if task not in kills]
    return [*kills, Task(parts, lambda: laptop.run(asked.laptop)), *partitions, *others]


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


def _aims(rows: list[Row], not_run: list[str]) -> list[Aim]:
    acknowledged = sum(row["acknowledged"] for row in rows)
    lost = sum(row["lost"] + row["other"] for row in rows)
    doubled = sum(row["doubled"] for row in rows)
    kills = sum(row["runs"] for row in rows if "kill" in row["kind"])
    slowest = max(rows, key=lambda row: row["healed_worst_seconds"])
    worst = slowest["healed_worst_seconds"]
    refused = {told for row in rows for told in row["refused"]}
    seconds = sum(row["seconds"] for row in rows)
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
            else f"{acknowledged / seconds:.0f} a second over {seconds / 60:.0f} minutes, faults "
            "included: more would need more of them (--kills, --between), not another system",
        ),
        Aim("kill -9 under load", f">= {_WANTED_KILLS}", str(kills), kills >= _WANTED_KILLS),
        Aim(
            "from the end of a fault to a good answer to what is asked after it, worst",
            f"<= {HEALS_WITHIN_SECONDS:.0f} s",
            f"{worst:.1f} s ({slowest['kind']}, {slowest['database']})",
            worst <= HEALS_WITHIN_SECONDS,
        ),
        Aim(
            "kinds that were not run",
            "0",
            str(len(not_run)),
            not not_run,
            "; ".join(not_run),
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
    end_in_order()
    raise SystemExit(main())
