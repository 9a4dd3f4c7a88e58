"""Write the page about scans from the figures."""

from pathlib import Path
from typing import Any

_HEAD = """# A scan from the phone to the verdict

Written by `make bench-scans`; the raw figures are in `bench/results/scans.json`.

{cores} cores, load average {load_before} before and {load_after} after, {date}. Eight phones send
messages of the SMS Spam Collection, each with a number of its own, through one API process to one
model server (MiniLM-L6, int8, answers not cached); phones, API, database and model share the cores.
*Through* is scans a second over the same messages sent to the model server alone in the same
minute; *processor* is of the whole process tree. Medians of {turns} turns; in brackets the least
and the most.

"""
_NAMES = {
    "sqlite": "SQLite",
    "postgresql": "PostgreSQL",
    "processes": "PostgreSQL, two API processes",
    "pgbouncer": "PostgreSQL behind PgBouncer",
}
_COLUMNS = (
    *("database", "scans/s", "model alone/s", "through", "API ms of processor", "model ms"),
    *("ratio", "p50 / p99 ms", "p99 over p50", "pgbench inserts/s"),
)


def write_page(result: dict[str, Any], page: Path) -> None:
    """Write the page."""
    found, machine = result["figures"], result["machine"]
    turns = found["path"]["sqlite"]["turns"]
    head = _HEAD.format(**machine, date=result["date"][:10], turns=turns)
    lines = [f"{head}| {' | '.join(_COLUMNS)} |", f"|{'---|' * len(_COLUMNS)}"]
    lines += [_row(name, one) for name, one in found["path"].items()]
    lines += ["", "## Aims", "", "| aim | goal | measured | |", "|---|---|---|---|"]
    for aim in result["aims"]:
        word = "met" if aim["met"] else "**missed**"
        lines.append(f"| {aim['name']} | {aim['goal']} | {aim['measured']:g} | {word} |")
    lines += ["", "## Growth (PostgreSQL)", "", "| stored scans | a scan, ms | own scans, ms |"]
    lines += ["|---|---|---|"]
    lines += [
        f"| {one['rows']:,} | {one['scan_ms']:.2f} | {one['page_ms']:.2f} |"
        for one in found["growth"]
    ]
    lines += ["", "## Commands", "", "| command | s of processor |", "|---|---|"]
    lines += [f"| `shieldctl {name}` | {spent:.2f} |" for name, spent in found["commands"].items()]
    page.write_text("\n".join(lines) + "\n")


def _row(name: str, one: dict[str, Any]) -> str:
    def spread(key: str) -> str:
        low, high = one["spread"][key]
        return f"{one[key]:.2f} [{low:.2f}, {high:.2f}]"

    inserted = one["pgbench_per_second"]
    cells = [
        _NAMES[name],
        f"{one['scans_per_second']:.0f}",
        f"{one['model_alone_per_second']:.0f}",
        spread("through"),
        f"{one['api_cpu_ms']:.2f}",
        f"{one['model_cpu_ms']:.2f}",
        spread("cpu_ratio"),
        f"{one['p50_ms']:.1f} / {one['p99_ms']:.1f}",
        spread("tail"),
        "-" if inserted is None else f"{inserted:.0f}",
    ]
    return f"| {' | '.join(cells)} |"
