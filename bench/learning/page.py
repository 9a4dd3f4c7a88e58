"""Writes `docs/benchmarks-learning.md` and its plots from the results alone."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

from bench.learning import sections

DOCS = Path(__file__).parents[2] / "docs"
IMAGES = DOCS / "images"
ALL = [
    "gates",
    "drift-linear",
    "drift-transformer",
    "forgetting",
    "poison",
    "mails",
    "growth",
    "book",
    "bases",
    "seeds",
    "seeds-linear",
    "speed",
]
COLOURS = {"static": "#6c757d", "naive": "#c44900", "ours": "#0b6e4f"}


def write_page(results: dict[str, Any]) -> None:
    """Write the page and the SVG files that it shows."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    figures = results["figures"]
    parts = [_HEAD, f"Measured {results['date'][:10]} on {_machine(results)}.", _aims(results)]
    for family in ("transformer", "linear"):
        if f"drift-{family}" in figures:
            parts += _drift(family, figures[f"drift-{family}"])
    if "curves" in figures.get("mails", {}):
        parts += sections.mails(figures["mails"])
    if "forgetting" in figures:
        parts += sections.forgetting(figures["forgetting"])
    for name in ("seeds", "seeds-linear"):
        if name in figures:
            parts += sections.seeds(name, figures[name])
    if "gates" in figures:
        parts += sections.gates(figures["gates"])
    if "poison" in figures:
        parts += sections.poison(figures["poison"])
    if "growth" in figures:
        parts += sections.growth(figures["growth"])
    if "speed" in figures:
        parts += sections.speed(figures["speed"])
    if "book" in figures:
        parts += sections.book(figures["book"])
    if "bases" in figures:
        parts += sections.bases(figures["bases"])
    missing = [name for name in ALL if name not in figures or "skipped" in figures[name]]
    if missing:
        parts += [
            "## Not measured yet",
            f'{", ".join(missing)}: run `make bench-learning ARGS="--only {",".join(missing)}"`.',
        ]
    text = "\n\n".join(parts) + "\n"
    (DOCS / "benchmarks-learning.md").write_text(text, encoding="utf-8")


_HEAD = """# Benchmarks: learning

Written by `python -m bench.learning` from `bench/results/learning.json`; do not edit. Run all of it
with `make bench-learning`, a part with `make bench-learning ARGS="--only poison"`, everything in
small with `ARGS=--short`. The mails are not part of this repository: see `bench/learning/mails.py`.

All messages but those of the book of scams are real (UCI SMS Spam Collection; SpamAssassin's public
mails). What is made of them, the evasions, streams and liars, is drawn from the seeds named below.
The learning is done by the product's own steps. *Recall* is at the threshold that flags 1 % of
harmless messages unless said otherwise."""


def _machine(results: dict[str, Any]) -> str:
    machine = results["machine"]
    return f"{machine['cores']} cores, {machine['system']}, Python {machine['python']}"


def _aims(results: dict[str, Any]) -> str:
    rows = [
        (
            aim["name"],
            aim["goal"],
            aim["measured"],
            "yes" if aim["met"] else f"**no.** {aim['note']}",
        )
        for aim in results["aims"]
    ]
    return "## Aims\n\n" + sections.table(["aim", "goal", "measured", "met"], rows)


def _drift(family: str, figures: dict[str, Any]) -> list[str]:
    months = list(range(1, figures["months"] + 1))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "shield", "font.size": 9}):
        figure = Figure(figsize=(7, 3.4), layout="constrained")
        axes = figure.add_subplot()
        for way, curves in figures["curves"].items():
            for curve in curves:
                recalls = [row["recall"] for row in curve]
                axes.plot(months, recalls, color=COLOURS[way], alpha=0.25, lw=1)
            mean = figures["mean_recall"][way]
            axes.plot(months, mean, color=COLOURS[way], lw=2, marker="o", label=way)
        axes.axhline(0.95, color="black", ls=":", lw=0.8)
        axes.set_xticks(months)
        axes.set(xlabel="month", ylabel="recall at 1 % false positives", ylim=(0, 1.02))
        axes.legend(frameon=False, loc="lower left")
        _save(figure, f"drift-{family}.svg")
    first = next(iter(figures["curves"].values()))[0]
    rows = [
        (
            str(month),
            first[month - 1]["evasion"],
            *(f"{figures['mean_recall'][way][month - 1]:.3f}" for way in COLOURS),
            _mean(figures["curves"]["ours"], month - 1, "recall_on_arrival"),
            _mean(figures["curves"]["static"], month - 1, "verdict_recall"),
            _mean(figures["curves"]["ours"], month - 1, "verdict_recall"),
            _mean(figures["curves"]["ours"], month - 1, "verdict_fpr"),
            " ".join(curve[month - 1]["outcome"] for curve in figures["curves"]["ours"]),
        )
        for month in months
    ]
    head = ["month", "evasion", "static", "naive", "ours", "ours on arrival"]
    head += ["static, verdicts", "ours, verdicts", "ours, verdicts' FPR"]
    return [
        f"## Drift replay, {family}",
        f"Seeds {figures['seeds']}. Each month a tactic and an evasion are new. In its first week "
        "users report 60 % of errors and 10 % of right verdicts, 5 % of reports wrongly; then each "
        "way learns, and is judged on the rest of the month: other scams, other wordings. *On "
        "arrival* is the recall of the month before on the first week; *verdicts* are at each "
        "model's own threshold, as users see them.",
        f"![Recall by month](images/drift-{family}.svg)",
        sections.table([*head, "gate"], rows),
    ]


def _mean(curves: list[list[dict[str, Any]]], place: int, name: str) -> str:
    return f"{sum(curve[place][name] for curve in curves) / len(curves):.3f}"


def _save(figure: Figure, name: str) -> None:
    figure.savefig(IMAGES / name, format="svg", metadata={"Date": None, "Creator": None})
