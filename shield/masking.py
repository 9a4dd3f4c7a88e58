"""A message without what a flood varies: its numbers, links and addresses masked.

The API groups messages into campaigns by this form, and the drift watch compares campaigns with
what a model learned from by the same form.
"""

import re

from shield.text import readable

_URL = re.compile(r"\b(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?:/\S*)", re.I)
_EMAIL = re.compile(r"\b[\w.+-]+@[\w-]+\.[\w.-]+\b")
_DIGITS = re.compile(r"\d[\d\s.,:-]*\d|\d")
_OTHER = re.compile(r"[^\w<>]+")
_LONGEST = 5000
"""Characters that are looked at: campaigns differ at their beginning or not at all."""


def masked(text: str) -> str:
    """Return the message as campaigns compare it: folded, lower case, its varying parts masked."""
    folded = readable(text[:_LONGEST]).lower()
    folded = _EMAIL.sub("<mail>", folded)
    folded = _URL.sub("<url>", folded)
    folded = _DIGITS.sub("<n>", folded)
    return _OTHER.sub(" ", folded).strip()
