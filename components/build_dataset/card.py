"""The data card: what a training learned from, as one HTML page without any message."""

import html
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from shield.run_files import BatchShift, DatasetFacts, PhraseCounts

_STYLE = (
    "body{font:15px/1.5 system-ui;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "table{border-collapse:collapse;margin:1rem 0}td,th{padding:.25rem .9rem;text-align:right;"
    "border-bottom:1px solid #ccc}td:first-child,th:first-child{text-align:left}"
)


def write_card(
    path: Path, facts: DatasetFacts, sets: dict[str, pl.DataFrame], aside: pl.DataFrame
) -> None:
    """Write the card. Counts and shares only: a card may be shown to anybody."""
    rows = [
        (
            name,
            str(table.height),
            str(int(table["label"].sum())),
            str(table["campaign"].n_unique()),
            f"{_median_length(table):.0f}",
        )
        for name, table in sets.items()
    ]
    reasons = [(str(why), str(count)) for why, count in facts.set_aside.items()]
    sources = sets["train"].group_by("source", "label").len().sort("source", "label").rows()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(
        f"<!doctype html><meta charset='utf-8'><style>{_STYLE}</style>"
        f"<title>Data card</title><h1>Data of the {html.escape(facts.model_type)} filter</h1>"
        f"<p>{facts.taught} corrections teach, {facts.replayed} base messages are rehearsed, "
        f"{aside.height} corrections were set aside.</p>"
        "<h2>Sets</h2>"
        + _table(("set", "messages", "scams", "campaigns", "median characters"), rows)
        + _beside(facts.beside_before)
        + _phrases(facts.phrases)
        + "<h2>What is learned, by source</h2>"
        + _table(
            ("source", "label", "messages"),
            [
                (str(source), "scam" if label else "harmless", str(n))
                for source, label, n in sources
            ],
        )
        + "<h2>Set aside</h2>"
        + (_table(("reason", "corrections"), reasons) if reasons else "<p>Nothing.</p>")
        + f"<h2>Lineage</h2><p>Golden set {html.escape(facts.golden_digest)}<br>Batches: "
        f"{html.escape(', '.join(facts.batches) or 'none')}</p>",
        encoding="utf-8",
    )


def _beside(shift: BatchShift | None) -> str:
    if shift is None or shift.scams is None:
        return ""
    warnings = "".join(f"<p><b>{html.escape(each)}</b></p>" for each in shift.warnings)
    return (
        "<h2>This batch beside what taught before</h2>"
        f"<p>{shift.messages} corrections, {shift.scams:.0%} of them scams (before: "
        f"{shift.scams_before:.0%}); {shift.new_campaigns:.0%} of its campaigns were never "
        f"seen before; lengths shifted by {shift.length_shift:.2f} (stability index; above 0.25 "
        f"is another kind of message).</p>{warnings}"
    )


def _phrases(phrases: PhraseCounts) -> str:
    return (
        f"<h2>Phrases</h2><p>{phrases.looked_at} phrases that many harmless reports share were "
        f"looked at. {phrases.suspected} are suspected of opening a back door, and what carries "
        f"them was set aside; against the others {phrases.inoculated} known scams with the phrase "
        "behind them are learned. The words are in phrases.json of the dataset.</p>"
    )


def _table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table>{line(head, 'th')}{''.join(line(row, 'td') for row in rows)}</table>"


def _median_length(table: pl.DataFrame) -> float:
    return float(np.median(table["text"].str.len_chars().to_numpy())) if table.height else 0.0
