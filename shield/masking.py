"""A message without what a flood varies: its numbers, links and addresses masked.

The API groups messages into campaigns by this form, and the drift watch compares campaigns with
what a model learned from by the same form.
"""

import re

from shield.links import LINK
from shield.text import readable

# Possessive, and begun at the first character of an address only: linear on any text.
_EMAIL = re.compile(r"(?<![\w.+-])[\w.+-]++@[\w-]++\.[\w.-]+\b")
_DIGITS = re.compile(r"\d[\d\s.,:-]*\d|\d")
_OTHER = re.compile(r"[^\w<>]+")
_LONGEST = 5000
"""Characters that are looked at: campaigns differ at their beginning or not at all."""


def masked(text: str) -> str:
    """Return the message as campaigns compare it: folded, lower case, its varying parts masked."""
    folded = readable(text[:_LONGEST]).lower()
    folded = _EMAIL.sub("<mail>", folded)
    folded = LINK.sub("<url>", folded)
    folded = _DIGITS.sub("<n>", folded)
    return _OTHER.sub(" ", folded).strip()
