"""Two versions side by side, as a person reads them in a terminal."""

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.console import rows_table
from shield.errors import Invalid
from shield.labels import ModelType
from shield.wire.comparison import FigureChange, VersionComparison

_KINDS, _MESSAGES = 12, 10
"""Shown of each; `--all` shows every one."""
_STYLES = {"good": "good", "bad": "bad", "": ""}


def model_type_of(old: str, new: str) -> ModelType:
    """Return the model type of two versions, by their names.

    Raises:
        Invalid: They are of different types.
    """
    one, two = (name.rpartition("-v")[0] for name in (old, new))
    if one != two or one not in set(ModelType):
        raise Invalid(
            f"{old} and {new} are not of one model type, and no message was judged by both. "
            "`shieldctl model list TYPE` lists the versions of a type."
        )
    return ModelType(one)


def described(comparison: VersionComparison, *, everything: bool) -> tuple[RenderableType, ...]:
    """Return what a person wants to see of a comparison.

    Args:
        comparison: From the API.
        everything: Every kind of message and every message; else those that changed most.
    """
    shown: list[RenderableType] = [Text(f"! {note}", style="quiet") for note in comparison.notes]
    if comparison.messages:
        shown.append(
            Text(
                f"{comparison.new} beside {comparison.old} on {comparison.messages} messages: "
                f"alone right on {comparison.won}, alone wrong on {comparison.lost}."
            )
        )
        shown += ["", _figures(comparison)]
        shown += _kinds(comparison, len(comparison.slices) if everything else _KINDS)
        shown += _moved(comparison, len(comparison.moved) if everything else _MESSAGES)
    for title, rows in (("Recipe", comparison.recipe), ("Data", comparison.data)):
        empty = "The same."
        shown += [
            "",
            Text(title, style="bold"),
            rows_table(rows, ["name", "old", "new"], empty=empty),
        ]
    return tuple(shown)


def _change(figure: FigureChange) -> Text:
    points = f"{100 * figure.change:+.2f} [{100 * figure.low:+.2f}, {100 * figure.high:+.2f}]"
    return Text(points, style=_STYLES[figure.kind])


def _table(first: str, comparison: VersionComparison, *more: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="quiet")
    table.add_column(first)
    for heading in (
        *more,
        "messages",
        comparison.old,
        comparison.new,
        "change (95 %)",
        "lost",
        "won",
    ):
        table.add_column(heading, justify="left" if heading == "figure" else "right")
    return table


def _figures(comparison: VersionComparison) -> Table:
    table = _table("set", comparison, "figure")
    for part in comparison.sets:
        for place, figure in enumerate(part.figures):
            name = "" if place else part.name.replace("_", " ")
            table.add_row(name, figure.figure, *_numbers(figure, 2))
    return table


def _numbers(figure: FigureChange, digits: int) -> list[str | Text]:
    shares = [f"{share:.{digits}%}" for share in (figure.old, figure.new)]
    return [f"{figure.messages}", *shares, _change(figure), f"{figure.lost}", f"{figure.won}"]


def _kinds(comparison: VersionComparison, most: int) -> list[RenderableType]:
    if not comparison.slices:
        return []
    table = _table("kind", comparison)
    kinds = comparison.slices
    if most < len(kinds):
        kinds = sorted(kinds, key=lambda kind: -abs(kind.figures[-1].change))[:most]
        kinds.sort(key=lambda kind: kind.figures[-1].change)
    for kind in kinds:
        table.add_row(kind.name, *_numbers(kind.figures[-1], 1))
    title = f"Kinds of messages by accuracy, {len(kinds)} of {len(comparison.slices)}"
    return ["", Text(title, style="bold"), table]


def _moved(comparison: VersionComparison, most: int) -> list[RenderableType]:
    if not comparison.moved:
        return []
    table = Table(box=None, pad_edge=False, header_style="quiet")
    for heading in ("now", "is", comparison.old, comparison.new, "message, masked"):
        table.add_column(heading, overflow="fold")
    lost = [one for one in comparison.moved if not one.won][: max(most // 2, 1)]
    won = [one for one in comparison.moved if one.won][: max(most // 2, 1)]
    for one in comparison.moved if most >= len(comparison.moved) else [*lost, *won]:
        now = Text("right", style="good") if one.won else Text("wrong", style="bad")
        truth = "scam" if one.scam else "harmless"
        table.add_row(now, truth, f"{one.old:.1%}", f"{one.new:.1%}", Text(one.text or one.id))
    title = f"Messages that changed sides, {table.row_count} of {comparison.lost + comparison.won}"
    return ["", Text(title, style="bold"), table]
