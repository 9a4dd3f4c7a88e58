"""The table of measured figures in docs/known.md."""

from pathlib import Path
from typing import Any

PAGE = Path("docs/known.md")


def render(result: dict[str, Any]) -> str:
    """Return the table from `bench/results/known.json`."""
    parts = result["figures"]
    replicas, scans, look_up, floods = (
        parts[name] for name in ("replicas", "scans", "lookup", "floods")
    )
    times = [replicas[name]["p99_ms"] for name in ("marked", "answered", "undone")]
    without, beside = scans["without_p50_ms"], scans["with_p50_ms"]
    warned = floods["after answered"] + floods["after marked"]
    rows = [
        (
            "from decision, second decision and undo to the changed answer of another process, "
            "p99, 100 scans a second, PostgreSQL",
            "1 s",
            max(times) <= 1000,
            "{:.0f}, {:.0f} and {:.0f} ms".format(*times),
            replicas,
        ),
        (
            "rise of a scan's p50 with a million entries, each message scanned alternately with "
            "and without them, with a model that answers at once",
            "5 %",
            beside <= 1.05 * without,
            f"{beside / without - 1:+.0%} ({without:.2f} ms without, {beside:.2f} ms with)",
            scans,
        ),
        (
            "processor time of a look-up at a million entries",
            "0.3 ms",
            look_up["lookup_ms"] <= 0.3,
            f"{look_up['lookup_ms']:.2f} ms (and {look_up['signing_ms']:.2f} ms to fold and "
            "sketch the message)",
            look_up,
        ),
        ("memory of a million entries", "1 GiB", look_up["gib"] <= 1, _gib(look_up), look_up),
        (
            "copies after the first decision that are warned, 24 floods in eight kinds of disguise",
            "95 %",
            warned >= 0.95 * floods["after"],
            f"{warned / floods['after']:.1%} ({floods['after answered'] / floods['after']:.0%} "
            f"answered, {floods['after marked'] / floods['after']:.0%} marked)",
            floods,
        ),
        (
            "harmless messages wrongly flagged, of 2,500",
            "0.02 %",
            floods["harmless flagged"] == 0,
            f"{floods['harmless flagged']} ({floods['harmless marked']} marked)",
            floods,
        ),
        (
            "share of all victims of the day who are warned (with weekly retraining alone: none)",
            "more",
            floods["answered"] + floods["marked"] > 0,
            f"{(floods['answered'] + floods['marked']) / floods['copies']:.0%}",
            floods,
        ),
    ]
    lines = ["| What | Goal | Measured | |", "|---|---|---|---|"]
    for what, goal, met, measured, part in rows:
        told = measured if met else f"**{measured}: missed**"
        lines.append(f"| {what} | {goal} | {told} | {part['date'][:10]} |")
    return "\n".join(lines) + "\n"


def _gib(look_up: dict[str, Any]) -> str:
    return f"{look_up['gib']:.2f} GiB ({look_up['peak_gib']:.2f} while loading)"
