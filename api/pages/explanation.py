"""Explain a verdict by occlusion: leave out one word at a time and measure the fall of the score.

Source: Zeiler and Fergus 2014; for text Li, Monroe and Jurafsky 2016. It uses the serving model
server as a black box, and one call scores all variants.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from shield.logistic import logit

Probabilities = Callable[[list[str]], Sequence[float]]
"""Maps texts to scam probabilities, 0 to 1, in the same order."""

MAX_PARTS = 48
"""Most parts of a message: longer ones are split into runs of words, to bound the call."""
MAX_SPANS = 8
FAINT = 0.15
"""Least effect of a span, as a share of the strongest one's."""
CLIP = 1e-6
"""How far probabilities are kept off 0 and 1.

In log odds a fall from 0.999 to 0.98 counts as much as one from 0.5 to 0.05.
"""
SMALLEST_MOVE = 0.05
"""Least effect of a span, in logits; smaller ones are quantisation noise."""


@dataclass(frozen=True)
class Span:
    """A part of the message that raised the scam score."""

    start: int
    """Index of the first character, in code points."""
    end: int
    weight: float
    """Effect relative to the strongest part, 0 to 1."""


@dataclass(frozen=True)
class Explanation:
    """The suspicious parts of the message, in reading order."""

    text: str
    spans: list[Span]
    note: str
    """The explanation as one sentence."""


def explain(text: str, probabilities: Probabilities) -> Explanation:
    """Find the parts of `text` that raised the model's scam score.

    Args:
        text: The message.
        probabilities: Scores texts with the model; called once.

    Raises:
        Unavailable: From `probabilities`, if no model answers.
    """
    parts = split(text)
    if len(parts) < 2:
        return Explanation(text, [], "Too short to tell which part mattered.")
    variants = [text[:start] + text[end:] for start, end in parts]
    whole, *without = probabilities([text, *variants])
    moves = [logit(whole, CLIP) - logit(probability, CLIP) for probability in without]
    strongest = max(moves)
    if strongest < SMALLEST_MOVE:
        return Explanation(text, [], "No single part made this message look like a scam.")
    ranked = sorted(zip(parts, moves, strict=True), key=lambda pair: -pair[1])[:MAX_SPANS]
    spans = [
        Span(start, end, round(move / strongest, 3))
        for (start, end), move in ranked
        if move >= max(SMALLEST_MOVE, FAINT * strongest)
    ]
    note = (
        "Marked: what made it look like a scam. Without the strongest mark the scam probability is"
    )
    fell_to = without[moves.index(strongest)]
    return Explanation(
        text,
        sorted(spans, key=lambda span: span.start),
        f"{note} {fell_to:.0%} instead of {whole:.0%}.",
    )


def split(text: str) -> list[tuple[int, int]]:
    """Return the positions of the words, joined into at most `MAX_PARTS` runs."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    size = max(1, math.ceil(len(words) / MAX_PARTS))
    runs = [words[at : at + size] for at in range(0, len(words), size)]
    return [(run[0][0], run[-1][1]) for run in runs]
