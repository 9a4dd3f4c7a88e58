"""Write the page about scans from the figures."""

from collections.abc import Sequence
from typing import Any

from bench.scans.aims import aims

_HEAD = """# A scan from the phone to the verdict

Written by `make bench-scans`; the raw figures are in `bench/results/scans.json`. {cores} cores,
which phones, API, database and model share; the last section says when each part was measured, and
beside what load. Medians of the turns; in brackets the least and the most.
"""
_PATH = """
## Beside the model server alone

Eight phones send messages of the SMS Spam Collection, each with a number of its own, through one
API process to one model server (MiniLM-L6, int8, answers not cached). *Through* is scans a second
over the same messages sent to the model server alone in the same minute; *processor* is of the
whole process tree.
"""
_PEERS = """
## Beside other model servers

The same encoder in each. A peer is its model server, one worker for each core, behind the smallest
FastAPI that checks a token and stores a row in the same PostgreSQL (`bench/scans/front.py`). It has
no rate limits, encryption, campaigns, arms, reasons or audit log. Nine in ten messages are
ordinary. With the cascade (off by default, ADR 0040) the linear half answers up to four in five
ordinary messages alone. *Times* is our scans a second over the peer's in the same turn.
"""
_SERVERS = """
## Beside another ASGI server

The same application, one process, PostgreSQL. The model server recalls the verdicts of the scans,
so that the API is what is measured.
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


def render(result: dict[str, Any]) -> str:
    """Return the page."""
    found = result["figures"]
    lines = _HEAD.format(**result["machine"]).splitlines()
    lines += ["", "## Aims", *_table(("aim", "goal", "measured", ""))]
    for aim in aims(found):
        word = "met" if aim["met"] else f"**missed** {aim.get('reason', '')}".strip()
        lines.append(f"| {aim['name']} | {aim['goal']} | {aim['measured']:g} | {word} |")
    if "path" in found:
        lines += [*_PATH.splitlines(), *_table(_COLUMNS)]
        lines += [_row(name, one) for name, one in found["path"].items()]
    lines += _peers(found.get("peers", {})) + _servers(found.get("servers", {}))
    if "growth" in found:
        lines += ["", "## Growth (PostgreSQL)"]
        lines += _table(("stored scans", "a scan, ms", "own scans, ms"))
        lines += [
            f"| {one['rows']:,} | {one['scan_ms']:.2f} | {one['page_ms']:.2f} |"
            for one in found["growth"]
        ]
    if "commands" in found:
        lines += ["", "## Commands", *_table(("command", "s of processor"))]
        lines += [
            f"| `shieldctl {name}` | {took:.2f} |" for name, took in found["commands"].items()
        ]
    lines += ["", "## When", *_table(("part", "date", "load before", "load after"))]
    lines += [
        f"| {part} | {one['date'][:16]} | {one['load_before']:g} | {one['load_after']:g} |"
        for part, one in result["measured"].items()
    ]
    return "\n".join(lines) + "\n"


def _table(columns: Sequence[str]) -> list[str]:
    return ["", f"| {' | '.join(columns)} |", f"|{'---|' * len(columns)}"]


def _peers(found: dict[str, Any]) -> list[str]:
    if not found:
        return []
    sides = ("peer", "ours", "ours with the cascade")
    lines = _PEERS.splitlines()
    lines += _table(
        (
            *(
                "peer",
                *(f"{side}/s" for side in sides),
                *(f"ms of processor, {side}" for side in sides),
            ),
            *("p50 / p99 ms, peer", "ours", "with the cascade", "times", "times with the cascade"),
        )
    )
    for name, one in found.items():
        if "not_measured" in one:
            continue
        times = ["{:.2f} [{:.2f}, {:.2f}]".format(*one[f"{side}, times"]) for side in sides[1:]]
        cells = [
            name,
            *(f"{one[side]['per_second']:.0f}" for side in sides),
            *(f"{one[side]['cpu_ms']:.2f}" for side in sides),
            *(f"{one[side]['p50_ms']:.0f} / {one[side]['p99_ms']:.0f}" for side in sides),
            *times,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    missing = {name: one["not_measured"] for name, one in found.items() if "not_measured" in one}
    return [*lines, *(f"\n{name} was not measured: {why}" for name, why in missing.items())]


def _servers(found: dict[str, Any]) -> list[str]:
    if not found:
        return []
    lines = _SERVERS.splitlines()
    lines += _table(("server", "scans/s", "ms of processor", "reports/s", "ms of processor"))
    lines += [
        f"| {name} | {one['scans_per_second']:.0f} | {one['scan_cpu_ms']:.2f} | "
        f"{one['reports_per_second']:.0f} | {one['report_cpu_ms']:.2f} |"
        for name, one in found.items()
    ]
    return lines


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
