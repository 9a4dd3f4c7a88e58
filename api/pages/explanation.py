"""What in a message moved the model: leave one word out, ask again, see how far the score falls.

Occlusion (Zeiler and Fergus 2014; for text Li, Monroe and Jurafsky 2016): it asks the very model
server that serves, needs nothing of its insides, and one call scores all variants.
"""

import math
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Probabilities = Callable[[list[str]], Sequence[float]]
"""Maps texts to scam probabilities, 0 to 1, in order."""

MAX_PARTS = 48
"""A longer message is cut into this many runs of words, so that one look costs a bounded call."""
MAX_SPANS = 8
FAINT = 0.15
"""Spans that moved the score less than this share of the strongest one are left out."""
SMALLEST_MOVE = 0.05
"""In logits: less is noise of quantised weights."""


@dataclass(frozen=True)
class Span:
    """A part of the message that made it look like a scam."""

    start: int
    """First character, counted in code points."""
    end: int
    weight: float
    """Relative to the strongest part, 0 to 1."""


@dataclass(frozen=True)
class Explanation:
    """The message's suspicious parts, in reading order."""

    text: str
    spans: list[Span]
    note: str
    """One sentence for people."""


def explain(text: str, probabilities: Probabilities) -> Explanation:
    """Find the parts of `text` that the model took for signs of a scam.

    Args:
        text: The message.
        probabilities: Asks the model; called once.

    Raises:
        Unavailable: From `probabilities`, when no model answers.
    """
    parts = split(text)
    if len(parts) < 2:
        return Explanation(text, [], "Too short to tell which part mattered.")
    variants = [text[:start] + text[end:] for start, end in parts]
    whole, *without = probabilities([text, *variants])
    moves = [logit(whole) - logit(probability) for probability in without]
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
    """Return where the words are, joined into at most `MAX_PARTS` runs of neighbours."""
    words = [match.span() for match in re.finditer(r"\S+", text)]
    size = max(1, math.ceil(len(words) / MAX_PARTS))
    runs = [words[at : at + size] for at in range(0, len(words), size)]
    return [(run[0][0], run[-1][1]) for run in runs]


def logit(probability: float) -> float:
    """Return log-odds, so that a fall from 0.999 to 0.98 counts like one from 0.5 to 0.05.

    Clipped at 1e-6: a probability of 1 is a rounded one.
    """
    clipped = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(clipped / (1 - clipped))
