"""Measure scans through the API: `python -m bench.scans [--only path growth ...]`.

Parts, each of which replaces its own figures in the results:

- `path`: `POST /api/v2/scans` by eight phones, on SQLite and on PostgreSQL (one API process, two,
  and through PgBouncer), in turns with the same messages sent to the model server alone and, on
  PostgreSQL, with pgbench inserting the same row. 5 minutes.
- `peers`: the same beside other model servers behind the smallest front, on a stream of which nine
  in ten messages are ordinary, without and with the cascade. 8 minutes, and the building of their
  environments the first time.
- `servers`: uvicorn, which serves the API, beside Granian. 2 minutes.
- `growth`: a scan and a page of one's own scans at growing numbers of stored scans. 10 minutes and
  12 GB of disk with ten million.
- `rest`: what an idle API and an idle operator take, and what commands take to start. 2 minutes.

Writes `bench/results/scans.json`, `docs/benchmarks-scans.md` and the sizes in
`docs/operations.md`. Processor times are those of whole process trees and hold on a busy machine;
ratios are of the same minute.
"""

import argparse
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.ending import end_in_order
from bench.scans import growth, path, peers, rest, servers, sizing
from bench.scans.aims import aims
from bench.scans.report import render

RESULT = Path("bench/results/scans.json")
PAGE = Path("docs/benchmarks-scans.md")
PARTS = ("path", "peers", "servers", "growth", "rest")
KINDS = ("sqlite", "postgresql", "processes", "pgbouncer")


class Results:
    """The figures of earlier runs, and those of this one in their place."""

    def __init__(self) -> None:
        self._whole: dict[str, Any] = json.loads(RESULT.read_text()) if RESULT.exists() else {}
        self._load = os.getloadavg()[0]

    def keep(self, part: str, name: str | None, found: Any) -> None:
        """Write figures of a part, or of one thing in it, with the page that follows from them."""
        figures = self._whole.setdefault("figures", {})
        if name is None:
            figures[part] = found
        else:
            figures.setdefault(part, {})[name] = found
        measured = self._whole.setdefault("measured", {})
        measured[f"{part} {name}" if name else part] = {
            "date": datetime.now(UTC).isoformat(),
            "load_before": round(self._load, 1),
            "load_after": round(os.getloadavg()[0], 1),
        }
        self._load = os.getloadavg()[0]
        machine = {"cores": os.cpu_count(), "python": platform.python_version()}
        self._whole |= {"machine": machine, "date": datetime.now(UTC).isoformat()}
        self.write()

    def write(self) -> None:
        """Write the results, the page, and the sizes."""
        self._whole["aims"] = aims(self._whole["figures"])
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(json.dumps(self._whole, indent=1) + "\n")
        PAGE.write_text(render(self._whole))
        if "postgresql" in self._whole["figures"].get("path", {}):
            sizing.write()
        for aim in self._whole["aims"]:
            word = "met   " if aim["met"] else "MISSED"
            sys.stderr.write(f"{word} {aim['name']}: {aim['measured']} ({aim['goal']})\n")


def main() -> None:
    """Measure, print and write."""
    options = argparse.ArgumentParser(prog="make bench-scans", description=__doc__)
    options.add_argument("--only", nargs="*", default=list(PARTS), choices=PARTS)
    options.add_argument("--kinds", nargs="*", default=list(KINDS), choices=KINDS, help="of `path`")
    options.add_argument(
        "--peers", nargs="*", default=list(peers.PEERS), choices=peers.PEERS, help="of `peers`"
    )
    options.add_argument("--seconds", type=int, default=8, help="of each slice")
    options.add_argument("--turns", type=int, default=3, help="slices of each side")
    options.add_argument(
        "--sizes", default="10000,100000,1000000,10000000", help="numbers of scans, of `growth`"
    )
    options.add_argument("--idle-seconds", type=int, default=30)
    options.add_argument("--write", action="store_true", help="the page of earlier results alone")
    given = options.parse_args()
    results = Results()
    if given.write:
        results.write()
        return
    if "path" in given.only:
        for kind in given.kinds:
            results.keep("path", kind, path.measure(kind, given.seconds, given.turns))
    if "peers" in given.only:
        peers.measure(
            given.peers,
            given.seconds,
            given.turns,
            lambda name, one: results.keep("peers", name, one),
        )
    if "servers" in given.only:
        results.keep("servers", None, servers.measure(given.seconds, given.turns))
    if "growth" in given.only:
        sizes = [int(size) for size in given.sizes.split(",")]
        results.keep("growth", None, growth.measure(sizes))
    if "rest" in given.only:
        results.keep("idle", None, rest.idle(given.idle_seconds))
        results.keep("commands", None, rest.commands())


if __name__ == "__main__":
    end_in_order()
    main()
