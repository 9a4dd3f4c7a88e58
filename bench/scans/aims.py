"""What was aimed at, and what became of it."""

from typing import Any

LEAST_OVER_PEERS = 4.0
"""Scans a second with the cascade over those of each peer."""
_SHORT_WAY = (
    "[ADR 0032](adr/0032-scans-are-written-together.md) lists what was taken off the path of a "
    "scan (it took 6.4 ms on SQLite and 5.3 on PostgreSQL before), and what was tried and not kept."
)
_SHARED = "Here the model server shares the cores with the API, the database and the phones."
_SPARED = (
    "The linear half may answer at most four in five ordinary messages; wider bounds missed scams "
    "of kinds that were not taught ([ADR 0040](adr/0040-a-cascade-that-is-asked-for.md))."
)


def aims(found: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the aims of the parts that were measured."""
    told = []
    ways = found.get("path", {})
    for name, way in (("SQLite", "sqlite"), ("PostgreSQL", "postgresql")):
        if way in ways:
            ratio = ways[way]["cpu_ratio"]
            told.append(
                _below(f"the API's processor over the model's, {name}", 0.25, ratio, _SHORT_WAY)
            )
    measured = [ways[way] for way in ("sqlite", "postgresql") if way in ways]
    if measured:
        least = min(one["through"] for one in measured)
        tail = max(one["tail"] for one in measured)
        told.append(
            _above("scans/s through the API over the model server alone", 0.75, least, _SHARED)
        )
        told.append(_below("p99 over p50 with eight phones", 3, tail, _SHARED))
    for name, one in found.get("peers", {}).items():
        if "not_measured" not in one:
            times = one["ours with the cascade, times"][0]
            aim = f"scans/s with the cascade over {name} behind a front"
            told.append(_above(aim, LEAST_OVER_PEERS, times, _SPARED))
    if "growth" in found:
        small, large = found["growth"][0], found["growth"][-1]
        rows = f"{small['rows']:,} to {large['rows']:,}"
        for name, key in (("a scan", "scan_ms"), ("own scans", "page_ms")):
            told.append(_below(f"{name}, {rows} stored scans", 1.5, large[key] / small[key]))
    for name, value in found.get("idle", {}).items():
        told.append(_below(f"idle {'API' if name == 'api' else name}, % of a core", 0.5, value))
    for command in ("--help", "status"):
        if command in found.get("commands", {}):
            spent = found["commands"][command]
            told.append(_below(f"shieldctl {command}, s of processor", 0.4, spent))
    return told


def _below(name: str, bound: float, measured: float, reason: str = "") -> dict[str, Any]:
    return _aim(name, f"<= {bound:g}", measured, measured <= bound, reason)


def _above(name: str, bound: float, measured: float, reason: str = "") -> dict[str, Any]:
    return _aim(name, f">= {bound:g}", measured, measured >= bound, reason)


def _aim(name: str, goal: str, measured: float, met: bool, reason: str) -> dict[str, Any]:
    aim = {"name": name, "goal": goal, "measured": round(measured, 3), "met": met}
    return aim if met or not reason else {**aim, "reason": reason}
