"""One self-contained HTML page: no script, no request, no readable message of anybody."""

from collections.abc import Iterable, Sequence
from html import escape

import numpy as np
from numpy.typing import NDArray

from components.evaluate import plots
from components.evaluate.answers import answers_of
from components.evaluate.redact import common_words, redact
from components.evaluate.scoring import Models, Scored, Verdicts
from shield.gates import PROMOTE, Decision, GateInput, Slice
from shield.metrics import Counts, count, paired_difference_interval, sign_test, wilson_interval
from shield.predictor import OPERATING_POINT

_MOST_BARS = 24
"""Kinds of messages in the picture, those with the lowest recall."""
MOST_ERRORS = 25
"""Errors shown of each kind; the list says how many more there are."""

_STYLE = """
body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem;
 color:#1b1f24}
h1{font-size:1.5rem}h2{font-size:1.15rem;margin-top:2.2rem}
table{border-collapse:collapse;margin:.6rem 0;width:100%}
td,th{padding:.25rem .6rem;border-bottom:1px solid #d8dee4;text-align:right;
 font-variant-numeric:tabular-nums}
td:first-child,th:first-child{text-align:left}.words td{text-align:left}
.warn{background:#fff4ce;border-left:4px solid #c44900;padding:.4rem .8rem;margin:.4rem 0}
.plots{display:flex;flex-wrap:wrap;gap:1rem}.plots figure{margin:0;flex:1 1 24rem}
svg{max-width:100%;height:auto}code{font-size:.9em}.worse{color:#b3261e}.better{color:#0b6e4f}
"""


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
    body = [
        *([f"<h1>{escape(outcome_of(decision))}</h1>"] if decision else []),
        f"<h{1 + bool(decision)}>Evaluation of a {escape(gate_input.model_type)} model"
        f"</h{1 + bool(decision)}>",
        _facts(gate_input),
        *(f'<p class="warn">{escape(warning)}</p>' for warning in gate_input.warnings),
        "<h2>Sets</h2>",
        _sets_table(judged, models),
        _plots(judged["golden"].scored, gate_input, fpr_budget),
        "<h2>Kinds of messages</h2>",
        "<p>Golden and time-forward messages together. A kind with fewer than 20 messages of a "
        "class decides nothing.</p>",
        _slices_table(gate_input, gate_input.slices),
        *_judge(gate_input),
        *_errors(judged, common),
        answers_of(gate_input, judged, common).embedded(),
    ]
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f"<title>Evaluation: {escape(gate_input.model_type)}</title><style>{_STYLE}</style></head>"
        "<body>" + "\n".join(body) + "</body></html>\n"
    )


def outcome_of(decision: Decision) -> str:
    """Return a decision as a heading: "Promoted", or "Refused" and why."""
    if decision.outcome == PROMOTE:
        return "Promoted: it passed every gate"
    return f"Refused: {decision.message}"


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
        ("Harmless messages that may be flagged", f"{gate_input.budget:.2%}"),
        (
            "int8 against fp32",
            f"{gate_input.int8_flips} of {gate_input.int8_compared} verdicts differ",
        ),
        ("Best ever on this golden set", _best(gate_input)),
    ]
    return _table([], [(name, value) for name, value in rows], css="words")


def _best(gate_input: GateInput) -> str:
    record = gate_input.record
    if record is None:
        return "none yet"
    return f"{escape(record.best)}: accuracy {record.best_accuracy:.2%}"


def _sets_table(judged: dict[str, Verdicts], models: Models) -> str:
    head = ["set", "model", "scams", "recall (95 %)", "harmless", "false positives (95 %)"]
    head += ["accuracy", "change of accuracy (90 %)", "p, one-sided worse"]
    rows = []
    for name, part in judged.items():
        title, change, luck = name.replace("_", " "), "", ""
        if part.champion is not None:
            compared = part.comparison()
            fall = paired_difference_interval(compared.lost, compared.won, compared.challenger.n)
            change = (
                f"{-100 * fall.estimate:+.2f} [{-100 * fall.high:+.2f}, {-100 * fall.low:+.2f}]"
            )
            luck = f"{sign_test(compared.lost, compared.won):.3f}"
            champion = _rates("champion", count(part.scam, part.champion))
            rows.append((title, *champion, "", ""))
            title = ""
        rows.append((title, *_rates("challenger", count(part.scam, part.challenger)), change, luck))
        if part.scored.baseline is not None and models.baseline is not None:
            flagged = part.scored.baseline >= models.baseline.threshold
            rows.append(("", *_rates("linear baseline", count(part.scam, flagged)), "", ""))
    return _table(head, rows)


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
    return f"{100 * part / whole:.{digits}f} % [{100 * low:.{digits}f}, {100 * high:.{digits}f}]"


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
    return _table(head, rows)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{value:.1%}"


def _errors(judged: dict[str, Verdicts], common: frozenset[str]) -> list[str]:
    parts = ["<h2>Errors of the challenger</h2>"]
    parts.append(
        "<p>Links, addresses and numbers are masked, and so is every word that fewer than five "
        "training messages hold.</p>"
    )
    for name, part in judged.items():
        wrong = part.challenger != part.scam
        fresh = wrong if part.champion is None else wrong & (part.champion == part.scam)
        title = name.replace("_", " ")
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
            escape(str(ids[row])[:40]),
            "scam" if part.scam[row] else "harmless",
            f"{part.scored.challenger[row]:.3f}",
            escape(redact(texts[row], common)),
        )
        for row in worst
    ]
    more = rows_wrong.size - len(rows)
    note = f"<p>The worst {len(rows)} of {rows_wrong.size}.</p>" if more else ""
    head = ["id", "truth", "score", "message, masked"]
    return f"<h3>{escape(title)}: {rows_wrong.size}</h3>{note}" + _table(head, rows, css="words")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], css: str = "") -> str:
    top = "<tr>" + "".join(f"<th>{escape(cell)}</th>" for cell in head) + "</tr>" if head else ""
    lines = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in rows)
    return f'<table class="{css}">{top}{lines}</table>'
