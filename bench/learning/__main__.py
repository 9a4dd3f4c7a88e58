"""`python -m bench.learning`: run the experiments and write `bench/results/learning.json`.

Each experiment is kept under its name as soon as it is done, so that a few can be repeated alone
(`--only poison,gates`). `--short` runs all of them in small and keeps nothing.
"""

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.ending import end_in_order
from bench.learning import (
    bases,
    book,
    drift,
    forgetting,
    gates,
    growth,
    mails,
    poison,
    seeds,
    speed,
)
from bench.learning.page import write_page
from bench.outcome import Outcome, Scale

RESULTS = Path(__file__).parents[1] / "results" / "learning.json"

EXPERIMENTS: dict[str, Callable[[Scale], Outcome]] = {
    "gates": gates.run,
    "drift-linear": drift.run_linear,
    "drift-transformer": drift.run_transformer,
    "forgetting": forgetting.run,
    "poison": poison.run,
    "mails": mails.run,
    "book": book.run,
    "bases": bases.run,
    "seeds": seeds.run,
    "seeds-linear": seeds.run_linear,
    "growth": growth.run,
    "speed": speed.run,
}
SLOW_IN_SHORT = {"drift-transformer", "forgetting", "speed", "book", "seeds", "seeds-linear"}
"""Trainings of the transformer: minutes even in small, so the short form leaves them out."""


def main(arguments: list[str]) -> int:
    """Run what was asked for; return 0, missed aims or not: they are results, not failures."""
    parser = argparse.ArgumentParser(prog="python -m bench.learning", description=__doc__)
    parser.add_argument("--short", action="store_true", help="small sizes; nothing is kept")
    parser.add_argument("--only", default="", help=f"some of {', '.join(EXPERIMENTS)}")
    parser.add_argument("--seeds", default="0-2", type=seeds_of, help="such as 0,3,5-19")
    parser.add_argument("--page", action="store_true", help="only write the page anew")
    asked = parser.parse_args(arguments)
    if asked.page:
        write_page(json.loads(RESULTS.read_text()))
        return 0
    names = [name for name in asked.only.split(",") if name]
    unknown = set(names) - set(EXPERIMENTS)
    if unknown:
        parser.error(f"no experiment {', '.join(sorted(unknown))}: use {', '.join(EXPERIMENTS)}")
    if not names:
        names = [n for n in EXPERIMENTS if not (asked.short and n in SLOW_IN_SHORT)]
    for name in names:
        started = time.perf_counter()
        outcome = EXPERIMENTS[name](Scale(asked.short, asked.seeds))
        seconds = time.perf_counter() - started
        for aim in outcome.aims:
            mark = "met   " if aim.met else "MISSED"
            print(f"{mark} {aim.name}: {aim.measured} (goal {aim.goal})", flush=True)
        print(f"       {name} took {seconds:.0f} s", flush=True)
        if not asked.short:
            _keep(name, outcome, seconds)
    return 0


def seeds_of(written: str) -> tuple[int, ...]:
    """Read numbers and ranges; argparse tells what is neither."""
    found: list[int] = []
    for part in written.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return tuple(found)


def _keep(name: str, outcome: Outcome, seconds: float) -> None:
    results: dict[str, Any] = {"figures": {}, "aims": []}
    if RESULTS.is_file():
        results = json.loads(RESULTS.read_text())
    results["name"] = "learning"
    results["machine"] = {
        "processor": platform.processor() or platform.machine(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }
    results["date"] = datetime.now(UTC).isoformat(timespec="seconds")
    results["figures"][name] = {**outcome.figures, "seconds": round(seconds, 1)}
    kept = [aim for aim in results["aims"] if aim["experiment"] != name]
    new = [{"experiment": name, **asdict(aim)} for aim in outcome.aims]
    order = list(EXPERIMENTS)
    results["aims"] = sorted([*kept, *new], key=lambda aim: order.index(aim["experiment"]))
    RESULTS.parent.mkdir(parents=True, exist_ok=True)
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    write_page(results)


if __name__ == "__main__":
    end_in_order()
    sys.exit(main(sys.argv[1:]))
