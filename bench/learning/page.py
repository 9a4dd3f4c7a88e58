"""Writes `docs/benchmarks-learning.md` and its plots from the results alone."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.figure import Figure

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
        parts += _mails(figures["mails"])
    if "forgetting" in figures:
        parts += _forgetting(figures["forgetting"])
    if "gates" in figures:
        parts += _gates(figures["gates"])
    if "poison" in figures:
        parts += _poison(figures["poison"])
    if "growth" in figures:
        parts += _growth(figures["growth"])
    if "speed" in figures:
        parts += _speed(figures["speed"])
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

All messages are real (UCI SMS Spam Collection; SpamAssassin's public mails). What is made of them,
the evasions, streams and liars, is drawn from the seeds named below. The learning is done by the
product's own steps. *Recall* is at the threshold that flags 1 % of harmless messages unless said
otherwise."""


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
    return "## Aims\n\n" + _table(["aim", "goal", "measured", "met"], rows)


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
        _table([*head, "gate"], rows),
    ]


def _mean(curves: list[list[dict[str, Any]]], place: int, name: str) -> str:
    return f"{sum(curve[place][name] for curve in curves) / len(curves):.3f}"


def _mails(figures: dict[str, Any]) -> list[str]:
    curves = figures["curves"]
    rows = [
        (
            f"{row['from']} to {row['to']}",
            str(row["mails"]),
            str(row["scams"]),
            *(
                "–"
                if curves[way][place]["recall"] is None
                else f"{curves[way][place]['recall']:.3f}"
                for way in COLOURS
            ),
            row["outcome"],
        )
        for place, row in enumerate(curves["ours"])
    ]
    head = ["received", "mails", "spam", "static", "naive", "ours", "gate"]
    return [
        "## Real time: mails by the day they were received (linear)",
        f"{figures['mails']} mails, the first {figures['first_taught']} train the first model. "
        "Each slice is met before anything of it is learnt.",
        _table(head, rows),
    ]


def _forgetting(figures: dict[str, Any]) -> list[str]:
    rows = [
        (
            str(row["seed"]),
            row["way"],
            f"{row['golden_accuracy_before']:.4f} -> {row['golden_accuracy_after']:.4f}",
            f"{row['golden_fpr_before']:.4f} -> {row['golden_fpr_after']:.4f}",
            f"{row['held_out_recall_before']:.3f} -> {row['held_out_recall_after']:.3f}",
            row["outcome"],
        )
        for row in figures["runs"]
    ]
    head = ["seed", "way", "golden accuracy", "golden FPR", "recall on held-out ones", "gate"]
    return [
        f"## Forgetting: {figures['corrections']} corrections of one class (transformer)",
        "At each model's own threshold. Held out are other scams than those taught.",
        _table(head, rows),
    ]


def _gates(figures: dict[str, Any]) -> list[str]:
    rows = [
        (
            str(row["golden"]),
            f"{row['change_points']:+.1f}",
            f"{row['on_corrections_points']:+.0f}",
            f"{row['promoted']:.1%} [{row['interval'][0]:.1%}, {row['interval'][1]:.1%}]",
            ", ".join(f"{name} {count}" for name, count in row["refusals"].items()),
        )
        for row in figures["single_cycles"]
    ]
    chains = [
        (
            str(row["golden"]),
            "yes" if row["no_ratchet_gate"] else "no",
            f"{row['promotions_per_chain']:.1f}",
            f"{row['true_change_points_mean']:+.2f}",
            f"{row['true_change_points_worst_5_percent']:+.2f}",
        )
        for row in figures["chains_of_50"]
    ]
    return [
        "## Gate",
        "Simulated verdicts, the product's own chain of gates. Change of true accuracy in points, "
        "on ordinary messages and on the 40 held-out corrections.",
        _table(["golden set", "change", "on corrections", "promoted (95 %)", "refusals"], rows),
        "Fifty cycles in a row whose challengers are 0.3 points worse on average:",
        _table(
            ["golden set", "best-ever gate", "promotions", "true change, mean", "5th percentile"],
            chains,
        ),
    ]


def _poison(figures: dict[str, Any]) -> list[str]:
    rows = [
        (
            row["attack"],
            row["defence"],
            f"{row['liars']:.0%}",
            "{mean:.3f} ({low:.3f} to {high:.3f})".format(**row["recall"]),
            "{mean:.3f} ({low:.3f} to {high:.3f})".format(**row["backdoor_recall"]),
            f"{row['lies_that_teach']['mean']:.0f}",
            f"{row['honest_set_aside']['mean']:.1%}",
            f"{row['signed_set_aside']['mean']:.1%}",
            f"{row['gate_refuses']:.0%}",
        )
        for row in figures["linear_model"]
    ]
    head = ["liars are", "defences", "share", "recall", "recall with their phrase"]
    head += [
        "lies that teach",
        "honest ones set aside",
        "of these signed",
        "gate `phrases` refuses",
    ]
    return [
        "## Poison (linear model on the real `build_dataset`)",
        f"100 reporters, seeds {figures['seeds']}; a liar reports ten times as often as others, "
        "and reviewers let half of the lies through. *Loud* liars turn every label round and put a "
        "phrase behind half of the scams that they call harmless. *Sly* ones tell the truth, and "
        "have the trust for it, except about scams of their own that nobody else has met and that "
        "carry the phrase; or each a phrase of their own. *Signed* are 40 real, alarming, harmless "
        "messages that an honest sender signs and honest users report: what is set aside of them "
        "is a false alarm of the defence.",
        _table(head, rows),
    ]


def _growth(figures: dict[str, Any]) -> list[str]:
    rows = [
        (
            f"{row['rows']:,}",
            f"{row['seconds']:.1f}" if "seconds" in row else "not finished",
            f"{row['peak_gib']:.2f}" if "seconds" in row else row["failed"],
        )
        for row in figures["runs"]
    ]
    return [
        "## Growth of `build_dataset`",
        f"In a process that the kernel holds to {figures['limit_gib']:.0f} GiB. The peak is of "
        "anonymous memory; the text is mapped from disk.",
        _table(["corrections", "seconds", "peak GiB"], rows),
    ]


def _speed(figures: dict[str, Any]) -> list[str]:
    rows = [
        (name.replace("_", " "), "{mean} ({low} to {high})".format(**value))
        for name, value in figures.items()
        if isinstance(value, dict) and "mean" in value
    ]
    weekly = [(name.replace("_", " "), f"{n:g}") for name, n in figures["retraining"].items()]
    return [
        "## Speed",
        f"{figures['messages']} messages, {figures['epochs']} epochs, {figures['threads']} "
        f"threads, seeds {figures['seeds']}, by turns: mean (lowest to highest).",
        _table(["figure", "value"], rows),
        "One retraining from a champion:",
        _table(["figure", "value"], weekly),
    ]


def _table(head: list[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *[list(row) for row in rows]]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in lines
    )


def _save(figure: Figure, name: str) -> None:
    figure.savefig(IMAGES / name, format="svg", metadata={"Date": None, "Creator": None})
