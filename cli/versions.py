"""A version as a person reads it: what it is, how it was judged, what became of it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.console import as_table, cell, rows_table
from shield.gates.evidence import Slice
from shield.wire import LedgerEntry, VersionRead

_SETS = {
    "golden": "golden set",
    "timeForward": "newest messages",
    "fresh": "fresh corrections",
    "oldErrors": "old errors",
    "judge": "book of scams",
}
_FIGURES = {"Recall": "recall", "Fpr": "false positives", "Accuracy": "accuracy"}
_WORST = 6
_FEWEST = 20
"""A kind with fewer messages says nothing."""


def described(version: VersionRead, ledger: Sequence[LedgerEntry]) -> tuple[RenderableType, ...]:
    """Return what a person wants to see of a version.

    Args:
        version: Of the registry.
        ledger: Transitions of its model type; those of other versions are left out.
    """
    metrics = version.metrics
    tainted = f", tainted: {version.taint_reason}" if version.tainted else ""
    facts = {
        "version": version.name,
        "status": f"{version.status}{tainted}",
        "refused": version.refusal,
        "learned from": _origin(version),
        "model": " and ".join(metrics.get("halves", [])) or None,
        "run": version.run_id,
        "trained": version.trained_at or version.created_at,
        "serving since": version.deployed_at,
        "digest": version.digest,
        "package": version.uri,
        "report": version.report_uri,
    }
    shown: list[RenderableType] = [as_table({name: fact for name, fact in facts.items() if fact})]
    shown += _titled("Figures", _figures(metrics))
    shown += _titled("Gates", _gates(metrics))
    shown += _titled(f"Kinds of messages, the {_WORST} that it judges worst", _slices(metrics))
    shown += [Text(f"! {warning}", style="quiet") for warning in metrics.get("warnings", [])]
    own = [entry for entry in ledger if version.name in (entry.version, entry.previous_version)]
    if own:
        columns = ["at", "action", "version", "previousVersion", "actor", "reason"]
        shown += ["", Text("Releases", style="bold"), rows_table(own, columns, empty="")]
    return tuple(shown)


def _origin(version: VersionRead) -> str:
    if version.parent is None:
        return "the base corpus"
    return ", ".join([version.parent, *version.batches])


def _titled(title: str, table: Table) -> list[RenderableType]:
    return ["", Text(title, style="bold"), table] if table.row_count else []


def _figures(metrics: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="quiet")
    for heading in ("set", "messages", *_FIGURES.values(), "champion then"):
        table.add_column(heading, justify="left" if heading == "set" else "right")
    for prefix, name in _SETS.items():
        own = [_share(metrics.get(f"{prefix}{figure}")) for figure in _FIGURES]
        if any(own):
            then = _share(metrics.get(f"{prefix}ChampionAccuracy"))
            size = metrics.get(f"{prefix}Size")
            table.add_row(
                name,
                f"{size:.0f}" if isinstance(size, float | int) else "",
                *own,
                f"accuracy {then}" if then else "",
            )
    return table


def _share(value: object) -> str:
    return f"{value:.2%}" if isinstance(value, float | int) else ""


def _gates(metrics: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, show_header=False)
    gates = metrics.get("gate", {})
    for name, said in gates.items() if isinstance(gates, dict) else ():
        passed = said == "passed"
        mark = Text("passed", style="good") if passed else Text("refused", style="bad")
        table.add_row(mark, str(name), Text("" if passed else str(said)))
    return table


def _slices(metrics: Mapping[str, Any]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="quiet")
    for heading in ("kind", "messages", "accuracy", "champion then"):
        table.add_column(heading, justify="left" if heading == "kind" else "right")
    kinds = [Slice.model_validate(one) for one in metrics.get("slices", [])]
    known = [
        (kind, now.accuracy, kind.comparison.champion.accuracy)
        for kind in kinds
        if (now := kind.comparison.challenger).n >= _FEWEST and now.accuracy is not None
    ]
    for kind, accuracy, then in sorted(known, key=lambda each: each[1])[:_WORST]:
        n = kind.comparison.challenger.n
        table.add_row(
            cell(f"{kind.dimension}: {kind.value}"), f"{n}", _share(accuracy), _share(then)
        )
    return table
