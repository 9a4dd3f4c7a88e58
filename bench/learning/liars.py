"""Who reports what: honest reporters, loud and sly liars, and a bank with a signature."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl

REPORTERS = 100
REPORTS = 8
"""An honest reporter's reports; a liar sends ten times as many."""
PHRASE = "kind regards from the blue lighthouse"
SIGNATURE = "sent by your first harbour bank team"
"""Honest words below real messages of one sender, that a model has taken for scams."""
SIGNED = 40
_WORDS = ("amber", "anchor", "canyon", "cobalt", "ember", "falcon", "harbor", "juniper", "lagoon")
_SCHEMA = {
    "text": pl.String,
    "label": pl.Int8,
    "reporter": pl.String,
    "trust": pl.Float32,
    "lie": pl.Boolean,
    "signed": pl.Boolean,
}


@dataclass(frozen=True)
class Messages:
    """Real messages, each used for one purpose."""

    scams: list[str]
    """Scams that many users met."""
    hams: list[str]
    own: list[str]
    """Scams that nobody but the liars has met: no honest report contradicts a lie about them."""
    alarming: list[str]
    """The harmless messages that look most like scams: honest false alarms."""


@dataclass(frozen=True)
class Attack:
    """How liars lie.

    Attributes:
        sly: They tell the truth, and have the trust for it, except about scams of their own that
            carry the phrase. Else they turn every label round, and half of the scams carry it.
        own_phrase: Each liar has a phrase of their own.
    """

    sly: bool = False
    own_phrase: bool = False


ATTACKS = {
    "loud": Attack(),
    "sly": Attack(sly=True),
    "sly, a phrase each": Attack(sly=True, own_phrase=True),
}


def phrase_of(attack: Attack, liar: int) -> str:
    """Return the words that a liar puts behind scams."""
    if not attack.own_phrase:
        return PHRASE
    n = len(_WORDS)
    return f"yours {_WORDS[liar % n]} and {_WORDS[(liar // n + 3 * liar + 1) % n]} ltd"


def corrections(
    given: Messages, share: float, attack: Attack, rng: np.random.Generator, off: dict[str, Any]
) -> pl.DataFrame:
    """Return approved corrections, `share` of the reporters lying; half of the lies get through.

    Each reporter draws from a stream of their own, so that the honest ones say the same beside any
    share of liars: what differs between two shares is what the liars did.
    """
    liars = round(share * REPORTERS)
    rows: list[dict[str, Any]] = []
    *streams, signing = rng.spawn(REPORTERS + 1)
    for reporter, rng in enumerate(streams):
        lying = reporter < liars
        for _ in range(REPORTS * (10 if lying else 1)):
            is_scam = rng.random() < 0.6
            text = str(rng.choice(given.scams if is_scam else given.hams))
            carries = lying and is_scam and rng.random() < 0.5
            lie = lying and (carries or not attack.sly)
            if carries:
                source = str(rng.choice(given.own)) if attack.sly else text
                text = f"{source} {phrase_of(attack, reporter)}"
            if lie and off.get("review", True) and rng.random() < 0.5:
                continue  # a reviewer saw through it
            # The API's trust follows the record: half of a loud liar's reports were rejected.
            low, high = (0.1, 0.5) if lying and not attack.sly else (0.5, 1.0)
            trust = rng.uniform(low, high) if off.get("trust", True) else 1.0
            rows.append(
                {
                    "text": text,
                    "label": int(is_scam != lie),
                    "reporter": f"r{reporter}",
                    "trust": trust,
                    "lie": lie,
                    "signed": False,
                }
            )
    for place, text in enumerate(given.alarming[:SIGNED]):
        reporter = liars + place % max(1, REPORTERS - liars)
        rows.append(
            {
                "text": f"{text} {SIGNATURE}",
                "label": 0,
                "reporter": f"r{reporter}",
                "trust": signing.uniform(0.5, 1.0) if off.get("trust", True) else 1.0,
                "lie": False,
                "signed": True,
            }
        )
    return pl.DataFrame(rows, schema=_SCHEMA).sample(fraction=1.0, shuffle=True, seed=1)
