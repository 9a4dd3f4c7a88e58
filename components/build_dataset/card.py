"""The data card: what a training learned from, as one HTML page without any message."""

from html import escape
from pathlib import Path

import numpy as np
import polars as pl

from components.shared.html_page import counted, page, table
from shield.run_files import BatchShift, DatasetFacts, PhraseCounts

_SETS = {
    "train": "what is learned",
    "valid": "tells when to stop learning",
    "watched": "corrections that tell the same",
    "golden": "frozen, the same for all versions: the gates compare on it",
    "frozen_ham": "frozen harmless messages: they set the operating point",
    "time_forward": "newer than all that is learned",
    "fresh": "corrections of this batch, kept out of training",
    "old_errors": "corrections of earlier batches",
    "judge": "written messages of the book of scams; no gate looks at them",
}
"""Set -> what it is for."""


def write_card(
    path: Path, facts: DatasetFacts, sets: dict[str, pl.DataFrame], aside: pl.DataFrame
) -> None:
    """Write the card. Counts and shares only: a card may be shown to anybody."""
    rows = [
        (
            f"{escape(name.replace('_', ' '))}<small>{escape(_SETS.get(name, ''))}</small>",
            str(rows_of.height),
            str(int(rows_of["label"].sum())),
            str(rows_of["campaign"].n_unique()),
            f"{_median_length(rows_of):.0f}" if rows_of.height else "–",
        )
        for name, rows_of in sets.items()
    ]
    reasons = [(escape(str(why)), str(count)) for why, count in facts.set_aside.items()]
    sources = sets["train"].group_by("source", "label").len().sort("source", "label").rows()
    title = f"Data of the {facts.model_type} filter"
    heads = ("set", "messages", "scams", "campaigns", "median characters")
    body = [
        f"<h1>{escape(title)}</h1>",
        f"<p>Learned are {counted(facts.taught, 'correction')} and "
        f"{counted(facts.replayed, 'message')} of the corpus, so that nothing is forgotten; "
        f"{counted(aside.height, 'correction')} set aside.</p>",
        "<h2>Sets</h2>",
        table(heads, rows),
        _beside(facts.beside_before),
        _phrases(facts.phrases),
        "<h2>What is learned, by source</h2>",
        table(
            ("source", "label", "messages"),
            [
                (escape(str(source)), "scam" if label else "harmless", str(n))
                for source, label, n in sources
            ],
        ),
        "<h2>Set aside</h2>",
        table(("reason", "corrections"), reasons) if reasons else "<p>Nothing.</p>",
        "<h2>Lineage</h2>",
        table(
            (),
            [
                ("Golden set", f"<code>{escape(facts.golden_digest)}</code>"),
                ("Batches", escape(", ".join(facts.batches) or "none")),
            ],
            "words",
        ),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page(title, "\n".join(body)), encoding="utf-8")


def _beside(shift: BatchShift | None) -> str:
    if shift is None or shift.scams is None:
        return ""
    warnings = "".join(f'<p class="warn">{escape(each)}</p>' for each in shift.warnings)
    return (
        "<h2>This batch beside what taught before</h2>"
        f"<p>{counted(shift.messages, 'correction')}, {shift.scams:.0%} of them scams (before: "
        f"{shift.scams_before:.0%}); {shift.new_campaigns:.0%} of its campaigns were never "
        f"seen before; lengths shifted by {shift.length_shift:.2f} (population stability index; "
        f"above 0.25 these are messages of another kind).</p>{warnings}"
    )


def _phrases(phrases: PhraseCounts) -> str:
    return (
        f"<h2>Phrases</h2><p>{counted(phrases.looked_at, 'phrase')} that many harmless reports "
        f"share. {phrases.suspected} of them may have been spread to open a back door: corrections "
        f"with them were set aside. So that none of the others opens one, "
        f"{counted(phrases.inoculated, 'known scam')} with such a phrase appended "
        f"{'is' if phrases.inoculated == 1 else 'are'} learned. The words are in phrases.json of "
        "the dataset.</p>"
    )


def _median_length(rows_of: pl.DataFrame) -> float:
    return float(np.median(rows_of["text"].str.len_chars().to_numpy()))
