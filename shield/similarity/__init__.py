"""Which messages are copies of one another: one definition for API, training and drift watch.

A message is folded (`form`): disguises undone, numbers and links taken out, hosts put beside. Two
messages are one campaign if their words are alike (`likeness`, from `SIMILAR` on) and their hosts
are the same. Candidates are found by sketches, drawn and hashed with a key of the deployment.
"""

from shield.similarity.form import Form, form, unpacked
from shield.similarity.sketch import (
    PERMUTATIONS,
    ROWS_PER_BAND,
    SIMILAR,
    Sketches,
    bands,
    estimate,
    likeness,
    sketches,
)

__all__ = [
    "PERMUTATIONS",
    "ROWS_PER_BAND",
    "SIMILAR",
    "Form",
    "Sketches",
    "bands",
    "estimate",
    "form",
    "likeness",
    "same_campaign",
    "sketches",
    "unpacked",
]


def same_campaign(one: Form, other: Form) -> bool:
    """Tell whether two messages are copies of one another."""
    return one.hosts == other.hosts and likeness(one.words, other.words) >= SIMILAR
