"""Write the figures of docs/operations.md that sizes are planned with from the results."""

import json
import math
from pathlib import Path
from typing import Any

from bench.marks import between

PAGE = Path("docs/operations.md")
_RESULTS = Path("bench/results")
_BUSIEST = 4
"""The busiest second has so many times the mean."""
_USED = 0.7
"""Share of the requested processor at which the autoscaler adds a pod."""
_BYTES = 1024
"""Of PostgreSQL per scan."""
_COLUMNS = (
    *("Scans a day", f"Busiest second ({_BUSIEST} × mean)", "Model servers, cores for each arm"),
    *("API, cores", "PostgreSQL a day", "With 30 days' retention"),
)


def render(results: Path = _RESULTS) -> str:
    """Return the figures as Markdown."""
    serving, scans, feedback = (
        json.loads((results / f"{name}.json").read_text())
        for name in ("serving", "scans", "feedback")
    )
    model_ms = serving["figures"]["ours"]["c8"]["cpu_ms"]["median"]
    path, reports = scans["figures"]["path"], feedback["figures"]["throughput"]
    api_ms = path["postgresql"]["api_cpu_ms"]
    report_ms = max(one["api_cpu_ms"] for one in reports)
    rate = 1000 / model_ms
    measured = scans["measured"]["path postgresql"]
    lines = [
        f"A request took {model_ms:.1f} ms of the model server's processor "
        f"({serving['date'][:10]}), so *r* is {rate:.0f}, to plan with: {rate / 2:.0f}. "
        f"A scan took {api_ms:.1f} ms of the API's on PostgreSQL and "
        f"{path['sqlite']['api_cpu_ms']:.1f} on SQLite ({measured['date'][:10]}, load "
        f"{measured['load_before']:g} on {scans['machine']['cores']} cores), "
        f"a report {report_ms:.1f} ({feedback['date'][:10]}).",
        "",
        f"| {' | '.join(_COLUMNS)} |",
        f"|{'---|' * len(_COLUMNS)}",
        *(_row(scans_a_day, rate, api_ms) for scans_a_day in (100_000, 10_000_000, 100_000_000)),
        "",
    ]
    return "\n".join(lines) + "\n"


def _row(scans: int, rate: float, api_ms: float) -> str:
    busiest = _BUSIEST * scans / 86_400
    gigabytes = scans * _BYTES / 1e9
    cells: list[Any] = [
        f"{scans:,}",
        f"{math.ceil(busiest):,}",
        math.ceil(busiest / (rate / 2)),
        math.ceil(busiest * api_ms / 1000 / _USED),
        f"{gigabytes:,.1f} GB",
        f"{30 * gigabytes:,.0f} GB",
    ]
    return f"| {' | '.join(map(str, cells))} |"


def write() -> None:
    """Bring the page up to date."""
    PAGE.write_text(between(PAGE, "sizing", render()))
