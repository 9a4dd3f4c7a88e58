"""Measure known campaigns, and write `bench/results/known.json`: `python -m bench.known`."""

import argparse
import json
import os
import platform
import tempfile
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from bench.ending import end_in_order
from bench.known import floods, lookup, replicas, report, scans
from bench.marks import between
from bench.outcome import Aim, Outcome

RESULTS = Path("bench/results/known.json")
PARTS = {"lookup": lookup.run, "scans": scans.run, "floods": floods.run, "replicas": replicas.run}


def main(arguments: list[str] | None = None) -> int:
    """Measure; return 0, missed aims or not: they are results, not failures."""
    parser = argparse.ArgumentParser(prog="python -m bench.known", description=__doc__)
    parser.add_argument("--short", action="store_true", help="small and quick; nothing is kept")
    parser.add_argument("--only", choices=PARTS, help="one part; the others' results stay")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    whole = Outcome({}, [])
    for name, part in PARTS.items():
        if asked.only not in (None, name):
            continue
        with tempfile.TemporaryDirectory() as folder:
            found = part(Path(folder), seed=asked.seed, short=asked.short)
        whole.figures[name] = found.figures
        whole.aims.extend(found.aims)
        for aim in found.aims:
            print(_line(aim), flush=True)
    if asked.short:
        return 0
    now = datetime.now(UTC).isoformat(timespec="seconds")
    former = json.loads(RESULTS.read_text(encoding="utf-8")) if asked.only else {}
    parts = {name: {**measured, "date": now} for name, measured in whole.figures.items()}
    figures = {**parts, "seconds": round(time.monotonic() - began, 1)}
    if asked.only:
        figures = former["figures"] | parts
    named = {aim.name for aim in whole.aims}
    others = [aim for aim in former.get("aims", []) if aim["name"] not in named]
    results = {
        "name": "known",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "date": former.get("date", now),
        "figures": figures,
        "aims": others + [asdict(aim) for aim in whole.aims],
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    report.PAGE.write_text(between(report.PAGE, "known", report.render(results)))
    return 0


def _line(aim: Aim) -> str:
    mark = "met   " if aim.met else "MISSED"
    return f"{mark} {aim.name}: {aim.measured} (goal {aim.goal})"


if __name__ == "__main__":
    end_in_order()
    raise SystemExit(main())
