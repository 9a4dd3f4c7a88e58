"""`bench/results/rollout.json`, and the page of the docs that tells it."""

import json
import os
import platform
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "bench/results/rollout.json"
PAGE = ROOT / "docs/benchmarks-rollout.md"
GOAL_MS = 250.0

# From the projects' own documentation; not measured here.
DOCUMENTED = {
    "Argo Rollouts": "An abort sets the canary's weight to 0 at once by the traffic router. Going "
    "back after a promotion is a new rollout: with its steps, or without within `rollbackWindow`; "
    "the old ReplicaSet is scaled down `scaleDownDelaySeconds` (30 s) after the switch, and must "
    "be scaled up again after that.",
    "Flagger": "Faults are noticed once per `analysis.interval` (1 min in its examples); the "
    "canary is rolled back after `threshold` failed checks (5 to 10 in its examples): minutes.",
    "KServe": "`canaryTrafficPercent: 0` moves all traffic to the revision that was rolled out "
    "last; canaries exist in the serverless (Knative) mode alone.",
}


@dataclass(frozen=True)
class Aim:
    """A goal that is met from below."""

    name: str
    goal: float
    measured: float
    reason: str | None = None
    """Why it was missed, should it be."""

    def plain(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        met = self.measured <= self.goal
        return {**asdict(self), "reason": None if met else self.reason, "met": met}


def shared_machine(load_average: float) -> str:
    """Return why a time may be longer than the product's own: others were at work as well."""
    return (
        f"measured at a load average of {load_average:.0f} on {os.cpu_count()} cores, by other "
        "work on this machine"
    )


def write(part: str, figures: dict[str, Any], aims: list[Aim]) -> None:
    """Put one part into the result, and write the page anew."""
    result = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    others = [one for one in result.get("aims", []) if one["part"] != part]
    result = {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {"cpus": os.cpu_count(), "python": platform.python_version()},
        "figures": {**result.get("figures", {}), part: figures},
        "aims": [*others, *({"part": part, **aim.plain()} for aim in aims)],
        "documented_elsewhere": DOCUMENTED,
    }
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    PAGE.write_text(page(result))


def page(result: dict[str, Any]) -> str:
    """Return the page that tells the result."""
    parts = [_head(result), _aims(result["aims"])]
    figures = result["figures"]
    if any(mode in figures for mode in ("local", "kubernetes")):
        parts.append(_undo(figures))
    if "hand-over" in figures:
        parts.append(_hand_over(figures["hand-over"]))
    if "sabotage" in figures:
        parts.append(_sabotage(figures["sabotage"]))
    if "many" in figures:
        parts.append(_many(figures["many"]))
    return "\n\n".join(parts) + "\n"


def _head(result: dict[str, Any]) -> str:
    machine = result["machine"]
    return (
        "# How fast a bad version is gone\n\n"
        "Written by `make bench-rollout`; do not edit. "
        f"Measured {result['date'][:10]} on {machine['cpus']} cores with Python "
        f"{machine['python']}; API, operator, model servers, users and (where there is one) the "
        "control plane share them."
    )


def _aims(aims: list[dict[str, Any]]) -> str:
    rows = [
        f"| {one['part']}: {one['name']} | {one['goal']:g} | {one['measured']:g} | "
        f"{'yes' if one['met'] else 'no'} |"
        for one in aims
    ]
    missed = [
        f"- Missed, {one['part']}: {one['name']}: {one['reason']}." for one in aims if one["reason"]
    ]
    table = "\n".join(["| what | at most | measured | met |", "|---|---|---|---|", *rows])
    return "\n\n".join([table, *(["\n".join(missed)] if missed else [])])


def _undo(figures: dict[str, Any]) -> str:
    names = {
        "local": "a table, child processes",
        "kubernetes": "a real API server (Kubernetes 1.37.2), model servers as processes",
    }
    rows = []
    for mode, name in names.items():
        if mode in figures:
            took = figures[mode]["undo_to_last_bad_answer_ms"]
            rows.append(
                f"| {name} | {took['p50']:g} | {took['p99']:g} | {_by_run(figures[mode])} | "
                f"{took['max']:g} | "
                f"{figures[mode]['requests']} | {figures[mode]['failed_requests']} |"
            )
    elsewhere = "\n".join(f"| {name} | {words} |" for name, words in DOCUMENTED.items())
    return (
        "## From an undo to the last answer by the version taken back\n\n"
        "Each try promotes a version under load and takes it back by one call of the API. The "
        "clock runs from before that call to the last answer by the bad version that a user "
        "received.\n\n"
        "| rollouts in | p50 (ms) | p99 (ms) | p99 of each run (ms) | longest (ms) | requests | "
        "failed |\n|---|---|---|---|---|---|---|\n" + "\n".join(rows) + "\n\n"
        "What others document (not measured here, and they do another thing: they know requests, "
        "not users, and judge by HTTP metrics):\n\n"
        "| | going back |\n|---|---|\n" + elsewhere
    )


def _by_run(figures: dict[str, Any]) -> str:
    """Return the p99 of each run; of results that are older than runs, the one there was."""
    runs = figures.get("runs", [figures["undo_to_last_bad_answer_ms"]])
    return ", ".join(f"{run['p99']:g}" for run in runs)


def _hand_over(figures: dict[str, Any]) -> str:
    rows = [
        f"| {how} | {took['median']:g} | {took['longest']:g} |"
        for how, took in figures["seconds_to_the_next_leader"].items()
    ]
    return (
        "## From one operator to the other\n\n"
        "Two operators on a real API server, with the Lease as it is by default. The one that "
        f"leads is ended {figures['tries']} times by each signal, a promotion or an undo being "
        "asked for at that moment, which the other carries out. Of "
        f"{figures['requests']} scans meanwhile {figures['failed_requests']} failed.\n\n"
        "| ended by | until the other leads, median (s) | longest (s) |\n|---|---|---|\n"
        + "\n".join(rows)
    )


def _sabotage(figures: dict[str, Any]) -> str:
    rows = [
        f"| {one['kind']} | {one['when']} | {one['outcome']} | {one['reason']} | "
        f"{'' if one['seconds'] is None else format(one['seconds'], '.2f')} |"
        for one in figures["kinds"]
    ]
    return (
        "## Sabotaged versions\n\n"
        f"{figures['users_at_a_time']} users at a time; of {figures['answers']} requests "
        f"{figures['failed_requests']} failed. "
        "Real packages in real model servers, simulated users through the API. *Seconds* run from "
        "the first request that failed to the decision; versions that no user met have none, and "
        "neither have those that answer, but wrongly: they take as long as evidence does.\n\n"
        "| the version | it shows | outcome | reason | seconds |\n|---|---|---|---|---|\n"
        + "\n".join(rows)
    )


def _many(figures: dict[str, Any]) -> str:
    took, rest = figures["spec_to_status_seconds"], figures["at_rest"]
    verbs = ", ".join(f"{count} {verb}" for verb, count in rest["calls_by_verb"].items())
    total = sum(figures["calls_by_verb"].values())
    most = figures["reconcile_seconds_p99_at_most"]
    bound = f"at most {most:g} s" if most is not None else "more than 5 s, waiting included"
    return (
        f"## {figures['rollouts']:,} ModelRollouts\n\n"
        f"One operator. From a changed spec to the status that answers it: p50 {took['p50']:g} s, "
        f"p99 {took['p99']:g} s over {figures['changes']} changes; the p99 of all reconciles was "
        f"{bound}. Its memory peaked at "
        f"{figures['memory_peak_mib']} MiB. From nothing to all serving took "
        f"{figures['all_serve_seconds']:g} s and, in all, {total:,} calls of the API server. At "
        f"rest for {rest['seconds']} s it made these calls: {verbs or 'none'} (the Lease), and "
        f"used {100 * rest['cpu_share_of_one_core']:.0f} % of a core."
    )
