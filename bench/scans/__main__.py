"""Measure scans through the API: `python -m bench.scans [--seconds 8] [--turns 3]`.

1. `POST /api/v2/scans` by eight phones, on SQLite and on PostgreSQL, in turns with the same
   messages sent to the model server alone and, on PostgreSQL, with pgbench inserting the same row.
2. A scan and a page of one's own scans at growing numbers of stored scans: they go by index.
3. What an idle API and an idle operator take, and what commands take to start.

On PostgreSQL also with two API processes, and through PgBouncer in transaction mode. Five to eight
minutes. Writes `bench/results/scans.json`, `docs/benchmarks-scans.md` and the sizes in
`docs/operations.md`. Processor times are those of whole
process trees and hold on a busy machine; ratios are of the same minute.
"""

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.scans import growth, path, rest, sizing
from bench.scans.report import write_page

RESULT = Path("bench/results/scans.json")
PAGE = Path("docs/benchmarks-scans.md")


def aims(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what was aimed at, and what became of it."""
    lite, post = found["path"]["sqlite"], found["path"]["postgresql"]
    grown = found["growth"]
    small, large = grown[0], grown[-1]
    idle, started = found["idle"], found["commands"]
    least = min(lite["through"], post["through"])
    tail = max(lite["tail"], post["tail"])
    return [
        _below("the API's processor over the model's, SQLite", 0.25, lite["cpu_ratio"]),
        _below("the API's processor over the model's, PostgreSQL", 0.25, post["cpu_ratio"]),
        _above("scans/s through the API over the model server alone", 0.75, least),
        _below("p99 over p50 with eight phones", 3, tail),
        _below("a scan, largest table over smallest", 1.5, large["scan_ms"] / small["scan_ms"]),
        _below("own scans, largest table over smallest", 1.5, large["page_ms"] / small["page_ms"]),
        _below("idle API, % of a core", 0.5, idle["api"]),
        _below("idle operator, % of a core", 0.5, idle["operator"]),
        _below("shieldctl --help, s of processor", 0.4, started["--help"]),
        _below("shieldctl status, s of processor", 0.4, started["status"]),
    ]


def _below(name: str, bound: float, measured: float) -> dict[str, Any]:
    met = measured <= bound
    return {"name": name, "goal": f"<= {bound:g}", "measured": round(measured, 3), "met": met}


def _above(name: str, bound: float, measured: float) -> dict[str, Any]:
    met = measured >= bound
    return {"name": name, "goal": f">= {bound:g}", "measured": round(measured, 3), "met": met}


def main() -> None:
    """Measure, print and write."""
    options = argparse.ArgumentParser(prog="make bench-scans", description=__doc__)
    options.add_argument("--seconds", type=int, default=8, help="of each slice")
    options.add_argument("--turns", type=int, default=3, help="slices of each side")
    options.add_argument("--sizes", default="10000,100000,1000000", help="numbers of scans")
    options.add_argument("--idle-seconds", type=int, default=30)
    given = options.parse_args()
    load = os.getloadavg()[0]
    found: dict[str, Any] = {
        "path": {
            name: path.measure(name, given.seconds, given.turns)
            for name in ("sqlite", "postgresql", "processes", "pgbouncer")
        },
        "growth": growth.measure([int(size) for size in given.sizes.split(",")]),
        "idle": rest.idle(given.idle_seconds),
        "commands": rest.commands(),
    }
    result: dict[str, Any] = {
        "figures": found,
        "machine": {
            "cores": os.cpu_count(),
            "load_before": round(load, 1),
            "load_after": round(os.getloadavg()[0], 1),
            "python": platform.python_version(),
        },
        "date": datetime.now(UTC).isoformat(),
        "aims": aims(found),
    }
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n")
    write_page(result, PAGE)
    sizing.write()
    for aim in result["aims"]:
        word = "met   " if aim["met"] else "MISSED"
        sys.stderr.write(f"{word} {aim['name']}: {aim['measured']} ({aim['goal']})\n")


if __name__ == "__main__":
    main()
