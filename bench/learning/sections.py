"""The sections of the page that are tables alone, each from the figures of one experiment."""

from collections.abc import Sequence
from typing import Any

WAYS = ("static", "naive", "ours")


def mails(figures: dict[str, Any]) -> list[str]:
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
                for way in WAYS
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
        table(head, rows),
    ]


def forgetting(figures: dict[str, Any]) -> list[str]:
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
        table(head, rows),
    ]


def seeds(name: str, figures: dict[str, Any]) -> list[str]:
    """Return the table of the demonstration's learning, a row for each seed."""
    rows = [
        (
            str(row["seed"]),
            str(row["corrections"]),
            f"{row['recall_before']:.3f} -> {row['recall_after']:.3f}",
            f"{row['accuracy_before']:.4f} -> {row['accuracy_after']:.4f}",
            ", ".join(row["weeks"]),
        )
        for row in figures["runs"]
    ]
    family = "linear" if name == "seeds-linear" else "transformer"
    return [
        f"## The demonstration's learning, seed by seed ({family})",
        "Seven in ten scams, in whole tactics, that the first model has never met; one week of "
        "reports, after a refusal a second: corrections of all that was wrong, and confirmations "
        "of half of what was right, which teach too. Served verdicts: recall on the half of these "
        "tactics that taught nobody, accuracy on the golden set, and what the gates said of each "
        "week.",
        table(
            ["seed", "corrections", "recall on the unseen tactic", "golden accuracy", "gates"], rows
        ),
    ]


def gates(figures: dict[str, Any]) -> list[str]:
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
    return [
        "## Gate",
        "Simulated verdicts, the product's own chain of gates. Change of true accuracy in points, "
        "on ordinary messages and on the 40 held-out corrections.",
        table(["golden set", "change", "on corrections", "promoted (95 %)", "refusals"], rows),
        *_reckoned(figures),
        *_lines(figures),
    ]


def _reckoned(figures: dict[str, Any]) -> list[str]:
    """Tell the chances that are reckoned; results of before lack them."""
    rows = [
        (
            str(row["golden"]),
            f"{row['different']:.1%}",
            f"{row['worse']:.2%}",
            f"{row['equal']:.1%}",
        )
        for row in figures.get("reckoned", ())
    ]
    head = ["golden set", "verdicts that differ", "1 point worse passes", "an equal one passes"]
    told = "The chance to pass `golden-accuracy`, reckoned instead of drawn, for a champion of luck"
    return [f"{told} unknown:", table(head, rows)] if rows else []


def _lines(figures: dict[str, Any]) -> list[str]:
    """Tell of lines of fifty weeks, by figures that know a line's age, or older ones."""
    if "lines_of_50_weeks" not in figures:
        return _older_lines(figures)
    head = ["golden set", "challengers, mean", "judged by"]
    head += ["equal passes gates, weeks 1-5", "weeks 31-40"]
    head += ["1 point worse, weeks 1-5", "weeks 31-40", "true change, mean", "5th percentile"]
    rows = [
        (
            str(row["golden"]),
            f"{row['challengers_points'][0]:+.1f}",
            "gates and trial" if row.get("trial") else "gates",
            f"{row['equal_weeks_1_5']:.0%}",
            f"{row['equal_weeks_31_40']:.0%}",
            f"{row['worse_weeks_1_5']:.1%}",
            f"{row['worse_weeks_31_40']:.1%}",
            f"{row['true_change_points_mean']:+.2f}",
            f"{row['true_change_points_worst_5_percent']:+.2f}",
        )
        for row in figures["lines_of_50_weeks"]
    ]
    return [
        "Lines of fifty weeks; an equal and a worse challenger are asked about besides:",
        table(head, rows),
    ]


def _older_lines(figures: dict[str, Any]) -> list[str]:
    head = ["golden set", "best-ever gate", "promotions", "true change, mean", "5th percentile"]
    rows = [
        (
            str(row["golden"]),
            "yes" if row["no_ratchet_gate"] else "no",
            f"{row['promotions_per_chain']:.1f}",
            f"{row['true_change_points_mean']:+.2f}",
            f"{row['true_change_points_worst_5_percent']:+.2f}",
        )
        for row in figures["chains_of_50"]
    ]
    title = "Fifty cycles in a row whose challengers are 0.3 points worse on average:"
    return [title, table(head, rows)]


def poison(figures: dict[str, Any]) -> list[str]:
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
        "is a false alarm of the defence. What is set aside of honest reports under sly liars is "
        "their own: nine in ten of them are true ones beyond the cap on each reporter.",
        table(head, rows),
    ]


def growth(figures: dict[str, Any]) -> list[str]:
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
        table(["corrections", "seconds", "peak GiB"], rows),
    ]


def speed(figures: dict[str, Any]) -> list[str]:
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
        table(["figure", "value"], rows),
        "One retraining from a champion:",
        table(["figure", "value"], weekly),
    ]


def book(figures: dict[str, Any]) -> list[str]:
    """Return the tables of bases, languages and channels, means over the seeds."""
    channels = {f"{name}s": means for name, means in figures.get("channels", {}).items()}
    return [
        "## The book of scams: first models by base",
        "Text messages of the book's judging half: written, not collected; templates that taught "
        "nothing, and nine tactics that never teach. Recall is at the point that flags 1 % of all "
        "judged harmless messages, of which four in five look alarming on purpose; shares flagged "
        "and the golden set are at the served point. Of sure verdicts, the share that is wrong. "
        f"Means over {len(figures['seeds'])} seeds (lowest to highest).",
        _first_models(figures["mean"]),
        *(
            ["The same of mails and calls, by the default base:", _first_models(channels)]
            if channels
            else []
        ),
    ]


def _first_models(means: dict[str, dict[str, Any]]) -> str:
    """Return a table with a column for each base or channel."""
    first = next(iter(means.values()))
    rows = []
    for what, title in (
        ("recall", "recall, {}"),
        ("kinds", "{}"),
        ("certainty", "{}"),
        ("padded", "flagged of {}"),
        ("golden", "golden {}"),
    ):
        for key in first.get(what, ()):  # results of before lack some
            cells = [of.get(what, {}).get(key) for of in means.values()]
            rows.append((title.format(key), *map(_spread, cells)))
    return table(["", *means], rows)


def _spread(cell: dict[str, float] | None) -> str:
    return "" if cell is None else f"{cell['mean']:.3f} ({cell['low']:.3f} to {cell['high']:.3f})"


def bases(figures: dict[str, Any]) -> list[str]:
    """Return the table of processor times by base."""
    names = list(figures["int8_mb"])
    rows = [
        (
            name,
            *(f"{of[base]['mean']:.2f} ({of[base]['median']:.2f})" for base in names),
            f"{figures['ratio'][name]:.2f}",
        )
        for name, of in figures["processor_ms"].items()
    ]
    sizes = ", ".join(f"{base} {figures['int8_mb'][base]} MB" for base in names)
    return [
        "## What a verdict costs by base",
        f"The served int8 file: {sizes}. Milliseconds of processor time per message, mean "
        "(median), one thread, both models by turns.",
        table(["messages", *names, "ratio of means"], rows),
    ]


def table(head: list[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *[list(row) for row in rows]]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "/") for cell in row) + " |" for row in lines
    )
