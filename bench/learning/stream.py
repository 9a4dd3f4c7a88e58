"""A stream of SMS in which tactics and evasions change month by month, made from real messages."""

import random
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from bench.learning.evasions import BY_MONTH, Evasion
from bench.learning.lab import sms_heads, table
from components.environment import StepSettings
from components.prepare_corpus.tactics import find_tactics
from components.train.base_model import base_directory
from components.train.encoder import embed

KNOWN_TACTICS = 3
VARIANTS = 3
"""Copies of one scam in a month, each disguised anew: a scam comes in floods."""
EVASIVE = 0.7
"""Share of a month's copies that wear its new disguise; the rest only change their numbers."""
MISREAD = 0.05
"""Share of reports that are wrong: the user meant well, or did not."""
REPORTS_ERROR, CONFIRMS = 0.6, 0.1
REVIEWER_CATCHES = 0.8
"""Share of wrong reports that the reviewer rejects."""
REPORTERS = 60


@dataclass(frozen=True)
class Month:
    """One month's traffic. No scam is in both parts, in no disguise."""

    name: str
    tactic: str
    first_week: pl.DataFrame
    """What users can report."""
    rest: pl.DataFrame
    """What the model of this month is judged on, after it has learnt from the first week."""


@dataclass(frozen=True)
class Stream:
    """Base corpus and months."""

    base: dict[str, pl.DataFrame]
    months: list[Month]
    hams: list[str]
    """Harmless messages of all months' judged parts: the false-positive rate is set on them, since
    a single month has too few for 1 %."""


def make_stream(seed: int, months: int, keep: float = 1.0) -> Stream:
    """Draw a stream.

    Args:
        seed: Of everything: which tactics are known, which scam comes when, in which words.
        months: At most `len(BY_MONTH)`.
        keep: Share of the corpus to use.
    """
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    heads = sms_heads()
    if keep < 1:
        heads = heads.sample(fraction=keep, seed=seed)
    scams = heads.filter(pl.col("label") == 1)["text"].to_list()
    hams = heads.filter(pl.col("label") == 0)["text"].to_list()
    rng.shuffle(hams)
    names = np.array(find_tactics(scams, embed(base_directory(StepSettings()), scams), seed)[0])
    order = sorted(set(names.tolist()), key=lambda name: (-int(np.sum(names == name)), name))
    known, coming = order[:KNOWN_TACTICS], order[KNOWN_TACTICS:]
    pool = {name: [t for t, n in zip(scams, names, strict=True) if n == name] for name in order}
    for texts in pool.values():
        rng.shuffle(texts)
    # Of the known tactics two thirds are the base corpus; the rest comes back later, disguised.
    taught = [t for name in known for t in _take(pool[name], 2 * len(pool[name]) // 3)]
    parts = _cut(hams, [0.3, 0.26, 0.15])
    cut = _cut(taught, [0.6, 0.2])
    base = {
        "train": _both(cut[0], parts[0], "train"),
        "valid": _both(cut[1], parts[1], "valid"),
        "golden": _both(cut[2], parts[2], "golden"),
    }
    per_month = len(parts[3]) // months
    found = []
    for place in range(months):
        label, evasion = BY_MONTH[place]
        tactic = coming[place % len(coming)]
        mine = _take(pool[tactic], max(12, len(pool[tactic]) // (months // len(coming) + 1)))
        seen = [name for name in order if name != tactic and pool[name]]
        while seen and len(mine) < 60:
            name = chance.choice(seen)
            mine += _take(pool[name], 1)
            seen = [name for name in seen if pool[name]]
        chance.shuffle(mine)
        month_hams = parts[3][place * per_month : (place + 1) * per_month]
        half, quiet = len(mine) // 2, len(month_hams) // 3
        found.append(
            Month(
                label,
                tactic,
                _traffic(mine[:half], month_hams[:quiet], evasion, chance, f"m{place}w"),
                _traffic(mine[half:], month_hams[quiet:], evasion, chance, f"m{place}r"),
            )
        )
    judged = [t for month in found for t in month.rest.filter(pl.col("label") == 0)["text"]]
    return Stream(base, found, judged)


def _take(pool: list[str], many: int) -> list[str]:
    taken, pool[:] = pool[:many], pool[many:]
    return taken


def _cut(texts: list[str], shares: list[float]) -> list[list[str]]:
    borders = np.cumsum([0, *[round(share * len(texts)) for share in shares]])
    parts = [texts[a:b] for a, b in pairwise(borders)]
    return [*parts, texts[borders[-1] :]]


def _both(scams: list[str], hams: list[str], name: str) -> pl.DataFrame:
    return table([*scams, *hams], [1] * len(scams) + [0] * len(hams), name)


def _traffic(
    scams: list[str], hams: list[str], evasion: Evasion, chance: random.Random, name: str
) -> pl.DataFrame:
    plain = BY_MONTH[0][1]
    sent = [
        (evasion if chance.random() < EVASIVE else plain)(text, chance)
        for text in scams
        for _ in range(VARIANTS)
    ]
    return _both(list(dict.fromkeys(sent)), hams, name)


def feedback(
    month: pl.DataFrame, flagged: np.ndarray[tuple[int], np.dtype[np.bool_]], seed: int
) -> pl.DataFrame:
    """Return the approved reports about a month's messages: `text, label, reporter, trust`.

    Args:
        month: The traffic.
        flagged: Shape (n,), what the model said.
        seed: Draws who reports what.
    """
    rng = np.random.default_rng(seed)
    truth = month["label"].to_numpy() == 1
    reports = rng.random(truth.size) < np.where(flagged != truth, REPORTS_ERROR, CONFIRMS)
    wrong = rng.random(truth.size) < MISREAD
    approved = reports & ~(wrong & (rng.random(truth.size) < REVIEWER_CATCHES))
    # Who is often wrong is trusted less: the API keeps the record, here it is drawn.
    trust = np.where(wrong, rng.uniform(0.1, 0.6, truth.size), rng.uniform(0.4, 1.0, truth.size))
    return (
        month.select("text")
        .with_columns(
            label=pl.Series((truth != wrong).astype(np.int8)),
            reporter=pl.Series([f"r{n}" for n in rng.integers(0, REPORTERS, truth.size)]),
            trust=pl.Series(trust.astype(np.float32)),
        )
        .filter(pl.Series(approved, dtype=pl.Boolean))
    )
