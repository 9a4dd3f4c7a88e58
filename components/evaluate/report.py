"""One self-contained HTML page: no script, no request, no readable message of anybody."""

from collections.abc import Collection, Iterable, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from components.evaluate import plots
from components.evaluate.answers import answers_of
from components.evaluate.redact import common_words, redact
from components.evaluate.scoring import Models, Scored, Verdicts
from components.shared.html_page import page, table
from shield.gates import PROMOTE, Decision, GateInput, Slice
from shield.metrics import Counts, count, paired_difference_interval, sign_test, wilson_interval
from shield.predictor import OPERATING_POINT

_MOST_BARS = 24
"""Kinds of messages in the picture, those with the lowest recall."""
MOST_ERRORS = 25
"""Errors shown of each kind; the list says how many more there are."""
_SETS = {
    "golden": "frozen messages, the same for all versions",
    "time_forward": "messages of the corpus that are newer than all that was learned",
    "fresh": "corrections of this batch that were kept out of training",
    "old_errors": "corrections of earlier batches",
    "judge": "written messages of the book of scams; no gate looks at them",
}
"""Set -> what it holds."""


def render(
    gate_input: GateInput,
    judged: dict[str, Verdicts],
    models: Models,
    teaching: Iterable[str],
    fpr_budget: float,
    decision: Decision | None = None,
) -> str:
    """Return the page. It holds what the challenger said of each message, for comparisons.

    Args:
        gate_input: What the gates will read.
        judged: Verdicts on every set.
        models: The linear baseline among them.
        teaching: Training texts; words that many of them hold are shown in the error list.
        fpr_budget: Marked in the ROC plot.
        decision: What the gates say of it; the page begins with it.
    """
    common = common_words(teaching)
    title = f"Evaluation of the {gate_input.model_type} filter"
    body = [
        *_outcome(decision, title),
        _facts(gate_input),
        *(f'<p class="warn">{escape(warning)}</p>' for warning in gate_input.warnings),
        "<h2>Sets</h2>",
        table(
            [], [(_title(name), escape(_SETS[name])) for name in judged if name in _SETS], "words"
        ),
        _sets_table(judged, models),
        _plots(judged["golden"].scored, gate_input, fpr_budget),
        "<h2>Kinds of messages</h2>",
        "<p>Golden and time-forward messages together. A kind with fewer than 20 messages of a "
        "class decides nothing.</p>",
        _slices_table(gate_input, gate_input.slices),
        *_judge(gate_input),
        *_errors(judged, common, gate_input.disputed),
        answers_of(gate_input, judged, common).embedded(),
    ]
    return page(title, "\n".join(body))


def _outcome(decision: Decision | None, title: str) -> list[str]:
    if decision is None:
        return [f"<h1>{escape(title)}</h1>"]
    told = [f"<h1>{escape(outcome_of(decision))}</h1>", f"<p>{escape(decision.message)}</p>"]
    return [*told, f"<h2>{escape(title)}</h2>"]


def outcome_of(decision: Decision) -> str:
    """Return a decision as a heading: "Promoted", or "Refused" and by which gate."""
    if decision.outcome == PROMOTE:
        return "Promoted"
    return f"Refused: {decision.outcome}"


def _title(name: str) -> str:
    return name.replace("_", " ")


def _facts(gate_input: GateInput) -> str:
    rows = [
        ("Challenger", f"<code>{escape(gate_input.challenger)}</code>"),
        (
            "Champion",
            f"<code>{escape(gate_input.champion)}</code>"
            if gate_input.champion
            else "none: a first model",
        ),
        ("Golden set", f"<code>{escape(gate_input.golden_digest)}</code>"),
        ("Approved corrections in this batch", str(gate_input.fresh_feedback)),
        ("Budget: harmless messages that may be flagged", f"{gate_input.budget:.2%}"),
        (
            "Rounded to 8 bits (int8), beside full precision",
            f"{gate_input.int8_flips} of {gate_input.int8_compared} verdicts differ",
        ),
        ("Best ever on this golden set", _best(gate_input)),
    ]
    return table([], rows, css="words")


def _best(gate_input: GateInput) -> str:
    record = gate_input.record
    if record is None:
        return "none yet"
    return f"{escape(record.best)}: accuracy {record.best_accuracy:.2%}"


def _sets_table(judged: dict[str, Verdicts], models: Models) -> str:
    head = ["set", "model", "scams", "recall (95 %)", "harmless", "false positives (95 %)"]
    head += ["accuracy", "change of accuracy, points (90 %)", "p: as bad by luck"]
    rows = []
    for name, part in judged.items():
        title, change, luck = _title(name), "", ""
        if part.champion is not None:
            compared = part.comparison()
            fall = paired_difference_interval(compared.lost, compared.won, compared.challenger.n)
            low, high = -100 * fall.high, -100 * fall.low
            gained = round(-100 * fall.estimate, 2) + 0.0  # never "-0.00"
            change = f"{gained:+.2f}<small>{low:+.2f} to {high:+.2f}</small>"
            luck = f"{sign_test(compared.lost, compared.won):.3f}"
            champion = _rates("champion", count(part.scam, part.champion))
            rows.append((title, *champion, "", ""))
            title = ""
        rows.append((title, *_rates("challenger", count(part.scam, part.challenger)), change, luck))
        if part.scored.baseline is not None and models.baseline is not None:
            flagged = part.scored.baseline >= models.baseline.threshold
            rows.append(("", *_rates("linear baseline", count(part.scam, flagged)), "", ""))
    return table(head, rows)


def _rates(model: str, counts: Counts) -> tuple[str, ...]:
    return (
        model,
        str(counts.scams),
        _with_interval(counts.tp, counts.scams, 1),
        str(counts.hams),
        _with_interval(counts.fp, counts.hams, 2),
        "–" if counts.accuracy is None else f"{counts.accuracy:.2%}",
    )


def _with_interval(part: int, whole: int, digits: int) -> str:
    if not whole:
        return "–"
    low, high = wilson_interval(part, whole)
    interval = f"{100 * low:.{digits}f} to {100 * high:.{digits}f}"
    return f"{100 * part / whole:.{digits}f} %<small>{interval}</small>"


def _plots(golden: Scored, gate_input: GateInput, fpr_budget: float) -> str:
    scam = golden.judged.scam
    drawn = [("challenger", plots.CHALLENGER, golden.challenger)]
    if golden.champion is not None:
        drawn.append(("champion", plots.CHAMPION, golden.champion))
    if golden.baseline is not None:
        drawn.append(("linear baseline", plots.BASELINE, golden.baseline))
    parts = []
    if scam.any() and not scam.all():
        parts.append(("ROC on the golden set", plots.roc(scam, drawn, fpr_budget)))
    parts.append(
        (
            "Challenger's scores on the golden set",
            plots.histogram(scam, golden.challenger, OPERATING_POINT),
        )
    )
    parts.append(("Calibration on the golden set", plots.reliability(scam, drawn)))
    kinds = [part for part in gate_input.slices if part.comparison.challenger.scams >= 20]
    # Tactics and languages make more kinds than a picture can show: the table below has them all.
    kinds = sorted(kinds, key=lambda kind: kind.comparison.challenger.recall or 0.0)[:_MOST_BARS]
    if kinds:
        bars = [("challenger", plots.CHALLENGER, [k.comparison.challenger.recall for k in kinds])]
        if gate_input.champion is not None:
            recalls = [k.comparison.champion.recall for k in kinds]
            bars.append(("champion", plots.CHAMPION, recalls))
        names = [f"{kind.dimension}: {kind.value}"[:40] for kind in kinds]
        parts.append(("Recall by kind of message", plots.bars(names, bars, "recall")))
    figures = "".join(
        f"<figure><figcaption><b>{escape(title)}</b></figcaption>{svg}</figure>"
        for title, svg in parts
    )
    return f'<h2>Curves</h2><div class="plots">{figures}</div>'


def _judge(gate_input: GateInput) -> list[str]:
    if not gate_input.judge:
        return []
    return [
        "<h2>What the book of scams judges</h2>",
        "<p>Messages that were written, not collected, by templates that taught nothing. No gate "
        "looks at them. A harmless twin is what honest senders write that looks like the scam.</p>",
        _slices_table(gate_input, gate_input.judge),
    ]


def _slices_table(gate_input: GateInput, slices: Sequence[Slice]) -> str:
    head = ["kind", "scams", "recall", "champion", "harmless", "false positives", "champion"]
    rows = []
    for part in slices:
        now, before = part.comparison.challenger, part.comparison.champion
        known = gate_input.champion is not None
        rows.append(
            (
                f"{escape(part.dimension)}: {escape(part.value)}",
                str(now.scams),
                _share(now.recall),
                _share(before.recall if known else None),
                str(now.hams),
                _share(now.fpr),
                _share(before.fpr if known else None),
            )
        )
    return table(head, rows)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _errors(
    judged: dict[str, Verdicts], common: frozenset[str], disputed: Collection[str]
) -> list[str]:
    parts = ["<h2>Errors of the challenger</h2>"]
    parts.append(
        "<p>Links, addresses and numbers are masked, and so is every word that fewer than five "
        "training messages hold.</p>"
    )
    if disputed:
        parts.append(
            f"<p>Left out: golden messages whose label every model contradicts: {len(disputed)}. "
            "Reviewers are asked about them, and must not know which they are.</p>"
        )
    for name, part in judged.items():
        wrong = part.challenger != part.scam
        if name == "golden" and disputed:
            wrong = wrong & ~part.scored.judged.table["id"].is_in(list(disputed)).to_numpy()
        fresh = wrong if part.champion is None else wrong & (part.champion == part.scam)
        title = _title(name)
        if part.champion is not None:
            parts.append(_error_list(f"{title}: new errors", part, fresh, common))
            parts.append(_error_list(f"{title}: errors of both", part, wrong & ~fresh, common))
        else:
            parts.append(_error_list(f"{title}: errors", part, wrong, common))
    return parts


def _error_list(
    title: str, part: Verdicts, wrong: NDArray[np.bool_], common: frozenset[str]
) -> str:
    rows_wrong = np.flatnonzero(wrong)
    if not rows_wrong.size:
        return f"<h3>{escape(title)}: none</h3>"
    distance = np.abs(part.scored.challenger[rows_wrong] - part.scam[rows_wrong])
    worst = rows_wrong[np.argsort(-distance, kind="stable")][:MOST_ERRORS]
    texts, ids = part.scored.judged.texts, part.scored.judged.table["id"].to_list()
    rows = [
        (
            f"<code>{escape(str(ids[row])[:40])}</code>",
            "scam" if part.scam[row] else "harmless",
            f"{part.scored.challenger[row]:.3f}",
            escape(redact(texts[row], common)),
        )
        for row in worst
    ]
    more = rows_wrong.size - len(rows)
    note = f"<p>The worst {len(rows)} of {rows_wrong.size}.</p>" if more else ""
    head = ["id", "truth", "score", "message, masked"]
    return f"<h3>{escape(title)}: {rows_wrong.size}</h3>{note}" + table(head, rows, css="words")
