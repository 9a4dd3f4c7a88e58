"""What the challenger said of each judged message, for comparisons with versions to come."""

import polars as pl

from components.evaluate.redact import redact
from components.evaluate.scoring import Verdicts
from components.evaluate.slices import judge_slices_of, slices_of
from components.shared import messages
from shield.comparison.answers import SETS, Answers, kept
from shield.gates import GateInput

MOST = 20_000
"""Messages, the golden ones first: a report stays a file that a browser opens."""


def answers_of(
    gate_input: GateInput, judged: dict[str, Verdicts], common: frozenset[str]
) -> Answers:
    """Return what the challenger said of the messages of corpora; users' messages are left out.

    Args:
        gate_input: What the gates read.
        judged: Verdicts on every set.
        common: Words that may be shown; others are masked.
    """
    answers = Answers(
        challenger=gate_input.challenger,
        budget=gate_input.budget,
        ids=[],
        sets=[],
        scam=[],
        scores=[],
        texts=[],
        kinds={},
    )
    for name in SETS:
        if name in judged:
            _add(answers, name, judged[name], common)
    return answers


def _add(answers: Answers, name: str, part: Verdicts, common: frozenset[str]) -> None:
    table, begun = part.scored.judged.table, len(answers.ids)
    # Corrections are people's messages, and no report outlives their erasure.
    rows = [row for row, source in enumerate(_sources(table)) if source != messages.OF_USERS]
    rows = rows[: max(0, MOST - begun)]
    ids, texts = table["id"].to_list(), part.scored.judged.texts
    answers.ids += [str(ids[row]) for row in rows]
    answers.sets += [name] * len(rows)
    answers.scam += [bool(part.scam[row]) for row in rows]
    answers.scores += [kept(part.scored.challenger[row]) for row in rows]
    answers.texts += [redact(texts[row], common) for row in rows]
    for column in answers.kinds.values():
        column += [""] * len(rows)
    slices = judge_slices_of(table) if name == "judge" else slices_of(table)
    for dimension, value, mask in slices:
        column = answers.kinds.setdefault(dimension, [""] * len(answers.ids))
        for place, row in enumerate(rows, begun):
            if mask[row]:
                column[place] = value


def _sources(table: pl.DataFrame) -> list[str]:
    if "source" not in table.columns:
        return [""] * table.height
    return [str(source) for source in table["source"].fill_null("").to_list()]
