"""Make text look like a call's transcript: what a speech recogniser would have written.

A stand-in until real transcripts come by `shieldctl corpus add voice FILE`. No letter case, no
punctuation, numbers as words, fillers, words misheard or lost, several turns in a row.
"""

import re
from collections.abc import Sequence

import numpy as np
import polars as pl

from components.shared import messages

SOURCE = "made-transcript"
FILLER_SHARE, LOST_SHARE, MISHEARD_SHARE = 0.05, 0.02, 0.03
"""Of the words. A recogniser on telephone speech gets about one word in ten wrong."""
_FILLERS = ("um", "uh", "you know", "so", "well", "i mean")
_OPENINGS = (
    "hello",
    "hi there",
    "yes hello",
    "good morning",
    "hello can you hear me",
    "hi how are you",
    "hello is this a good time",
)
_MISHEARD = {
    "to": "two", "two": "to", "for": "four", "your": "you're", "there": "their", "their": "there",
    "here": "hear", "right": "write", "won": "one", "one": "won", "know": "no", "no": "know",
    "by": "buy", "buy": "by", "see": "sea", "our": "hour", "new": "knew", "would": "wood",
    "free": "three", "claim": "clean", "prize": "price", "price": "prize", "cash": "catch",
}  # fmt: skip
_DIGITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]


def spoken(text: str, rng: np.random.Generator) -> str:
    """Return the text as a recogniser would have heard it."""
    text = re.sub(r"https?://|www\.", "", text.lower())
    text = re.sub(r"(?<=\w)\.(?=[a-z])", " dot ", text)
    text = text.replace("@", " at ").replace("£", " pounds ").replace("$", " dollars ")
    text = text.replace("%", " percent ").replace("&", " and ")
    text = re.sub(r"\d", lambda digit: f" {_DIGITS[int(digit[0])]} ", text)
    words = re.sub(r"[^\w' ]+|_", " ", text).split()
    heard = []
    for word, chance in zip(words, rng.random(len(words)), strict=True):
        if chance < LOST_SHARE:
            continue
        misheard = chance < LOST_SHARE + MISHEARD_SHARE
        heard.append(_MISHEARD.get(word, word) if misheard else word)
        if chance > 1 - FILLER_SHARE:
            heard.append(str(rng.choice(_FILLERS)))
    return " ".join(heard)


def transcripts(table: pl.DataFrame, seed: int, turns: Sequence[int] = (1, 2, 3)) -> pl.DataFrame:
    """Return one call per message: an opening, the message, and sometimes more of its own class.

    Every message begins exactly one call, and each call keeps the label and date of that message.
    """
    rng = np.random.default_rng(seed)
    texts, labels = table["text"].to_list(), table["label"].to_numpy()
    of_class = {label: np.flatnonzero(labels == label) for label in (0, 1)}
    made = []
    for place, text in enumerate(texts):
        others = rng.choice(of_class[int(labels[place])], int(rng.choice(turns)) - 1)
        parts = [text, *(texts[other] for other in others)]
        call = f"{rng.choice(_OPENINGS)} {' '.join(spoken(part, rng) for part in parts)}"
        made.append(call[:4000])
    return table.with_columns(
        text=pl.Series(made, dtype=pl.String),
        id=pl.Series([messages.message_id(SOURCE, call) for call in made], dtype=pl.String),
        source=pl.lit(SOURCE),
    )
