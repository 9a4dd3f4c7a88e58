"""Write the pages that quote results, from the results: `python -m bench.pages`.

Each benchmark writes its own page when it has measured. This writes all of them again, and the page
of all aims; a test compares them with `bench/results/`. The page about learning, which has plots,
is written by `python -m bench.learning --page`.
"""

import json
from pathlib import Path
from typing import Any

from bench.known import report as known
from bench.marks import between
from bench.rollout import report as rollout
from bench.scans import report as scans
from bench.scans import sizing
from bench.scans.aims import aims as scan_aims
from bench.serving import report as serving
from bench.trials import __main__ as trials

RESULTS = Path("bench/results")
DOCS = Path("docs")
AIMS = DOCS / "benchmarks-aims.md"
_TITLES = {
    "scans": "Scans",
    "serving": "Model server",
    "feedback": "Feedback",
    "known": "Known campaigns",
    "rollout": "Rollout",
    "trials": "Trials",
    "learning": "Learning",
    "watch": "Drift watch",
    "phone": "Phone",
    "up": "First minute",
    "faults": "Faults",
}
_HEAD = """# Aims of all benchmarks

Written by `python -m bench.pages` from `bench/results/`; do not edit. Each line is a goal that was
set before it was measured. What was missed is in bold, with the reason where one is known. How the
figures were measured is on the page of each benchmark ([benchmarks.md](benchmarks.md)).
"""


def render() -> dict[Path, str]:
    """Return the text of each page by its path."""
    return {
        DOCS / "benchmarks-scans.md": scans.render(result_of("scans")),
        serving.PAGE: serving.render(result_of("serving")),
        DOCS / "benchmarks-rollout.md": rollout.page(result_of("rollout")),
        DOCS / "benchmarks-trials.md": trials.page(result_of("trials")),
        known.PAGE: between(known.PAGE, "known", known.render(result_of("known"))),
        sizing.PAGE: between(sizing.PAGE, "sizing", sizing.render()),
        AIMS: _aims(),
    }


def write() -> None:
    """Write the pages."""
    for path, text in render().items():
        path.write_text(text)


def result_of(name: str) -> dict[str, Any]:
    """Return the results of a benchmark."""
    result: dict[str, Any] = json.loads((RESULTS / f"{name}.json").read_text())
    return result


def aims_of(name: str) -> list[dict[str, Any]]:
    """Return the aims of a benchmark, with the reasons why they were missed where one is known."""
    result = result_of(name)
    # Reasons that the benchmark's code has gained since it was run.
    told: list[dict[str, Any]] = scan_aims(result["figures"]) if name == "scans" else result["aims"]
    return told


def _aims() -> str:
    lines = _HEAD.splitlines()
    for name, title in _TITLES.items():
        lines += ["", f"## {title}", "", f"Measured {result_of(name)['date'][:10]}.", ""]
        lines += ["| Aim | Goal | Measured |", "|---|---|---|"]
        lines += [_line(aim) for aim in aims_of(name)]
    return "\n".join(lines) + "\n"


def _line(aim: dict[str, Any]) -> str:
    measured = aim["measured"]
    if not isinstance(measured, str):
        measured = f"{measured:g}"
    if not aim["met"]:
        reason = aim.get("reason") or aim.get("note") or ""
        measured = f"**{measured}: missed.** {reason}".strip()
    goal = aim["goal"] if isinstance(aim["goal"], str) else f"at most {aim['goal']:g}"
    part = f"{aim['part']}: " if "part" in aim else ""
    return f"| {part}{aim['name']} | {goal} | {measured} |"


if __name__ == "__main__":
    write()
