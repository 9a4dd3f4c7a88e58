"""`python -m bench.trials`: simulate trials; write `bench/results/trials.json` and its page."""

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.ending import end_in_order
from bench.trials.experiment import run

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "bench/results/trials.json"
PAGE = ROOT / "docs/benchmarks-trials.md"


def main(arguments: list[str]) -> int:
    """Simulate; return 0, missed aims or not: they are results, not failures."""
    parser = argparse.ArgumentParser(prog="python -m bench.trials", description=__doc__)
    parser.add_argument("--short", action="store_true", help="a few trials; nothing is kept")
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args(arguments)
    began = time.monotonic()
    outcome = run(asked.seed, short=asked.short)
    for aim in outcome.aims:
        mark = "met   " if aim.met else "MISSED"
        print(f"{mark} {aim.name}: {aim.measured} (goal {aim.goal})", flush=True)
    if asked.short:
        return 0
    results = {
        "name": "trials",
        "machine": {"cores": os.cpu_count(), "python": platform.python_version()},
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "figures": {**outcome.figures, "seconds": round(time.monotonic() - began, 1)},
        "aims": [asdict(aim) for aim in outcome.aims],
    }
    RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")
    return 0


def page(results: dict[str, Any]) -> str:
    """Return the page of the docs."""
    figures = results["figures"]
    lines = [
        "# What a trial lets in, and what it refuses",
        "",
        f"Written by `python -m bench.trials`; do not edit. Simulated {results['date'][:10]}: "
        "10,000 scans a day, the new rule with at most 60 decisions a day and reviewers who err in "
        "3 %. How a trial is judged: [rollouts.md](rollouts.md).",
        "",
        "| what | goal | measured | met |",
        "|---|---|---|---|",
        *(
            f"| {aim['name']} | {aim['goal']} | {aim['measured']} | {_yes(aim['met'])} |"
            for aim in results["aims"]
        ),
        "",
        *(f"*{aim['name']}:* {aim['note']}\n" for aim in results["aims"] if aim["note"]),
        "*Points* are error rate of the version on trial less that of the other. *Clustered*: some "
        "users meet errors of one version often and most never, some report most of what they "
        "meet and most nothing, and 30 % of the messages are of campaigns. Days and decisions are "
        "medians of the trials that ended by themselves.",
        "",
        "| rule | trial | versions | trials | rejected | promoted | days | decisions |",
        "|---|---|---|---|---|---|---|---|",
        *(
            f"| {row['rule']} | {row['what']} | {row['world']} | {row['trials']} "
            f"| {row['rejected']:.1%} | {row['promoted']:.1%} | {_cell(row['days'])} "
            f"| {_cell(row['decisions'])} |"
            for row in figures["rows"]
        ),
        "",
        "The rule before compared what users of either version reported. "
        f"{_canary(figures['rows'])} Its A/B trials waited for a person, so that nothing there is "
        "promoted. One user whose 17 scans by the version on trial were all reported, unreviewed, "
        f"rejected it: {_yes(figures['one_user_with_17_reports_rejects_before'])}. "
        "By the new rule nobody's reports reject, and one user has at most five messages among the "
        "decided, which cannot reject by themselves.",
    ]
    return "\n".join(lines) + "\n"


def _canary(rows: list[dict[str, Any]]) -> str:
    row = next(row for row in rows if row["what"].startswith("canary"))
    return (
        f"Its canary promoted after {24 * row['days']:.1f} hours and "
        f"{row['scans_of_the_candidate']:.0f} scans of the candidate."
    )


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _cell(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


if __name__ == "__main__":
    end_in_order()
    sys.exit(main(sys.argv[1:]))
