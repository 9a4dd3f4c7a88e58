"""A stream of SMS in which tactics and evasions change month by month, made from real messages."""

import random
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import polars as pl

from bench.learning.evasions import BY_MONTH, Evasion
from bench.learning.lab import both, sms_heads
from components.prepare_corpus.tactics import find_tactics
from components.shared.base_model import minilm_directory
from components.shared.encoder import embed

KNOWN_TACTICS = 3
ROOTS = 40
"""Different scams in each half of a month."""
VARIANTS = {"first week": 12, "rest": 3}
"""Copies of one scam, each disguised anew: a scam comes in floods."""
EVASIVE = 0.9
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
    names = np.array(find_tactics(scams, embed(minilm_directory(), scams), seed)[0])
    order = sorted(set(names.tolist()), key=lambda name: (-int(np.sum(names == name)), name))
    known, coming = order[:KNOWN_TACTICS], order[KNOWN_TACTICS:]
    taught, teach, judge = [], {}, {}
    for name in order:
        texts = [text for text, each in zip(scams, names, strict=True) if each == name]
        rng.shuffle(texts)
        # Of the known tactics half are the base corpus; the others come back later, disguised.
        kept = len(texts) // 2 if name in known else 0
        taught += texts[:kept]
        # What teaches in one month judges in none, in no disguise.
        teach[name], judge[name] = texts[kept::2], texts[kept + 1 :: 2]
    parts = _cut(hams, [0.25, 0.2, 0.3])
    cut = _cut(taught, [0.6, 0.2])
    base = {
        "train": both(cut[0], parts[0], "train"),
        "valid": both(cut[1], parts[1], "valid"),
        "golden": both(cut[2], parts[2], "golden"),
    }
    per_month = len(parts[3]) // months
    found = []
    for place in range(months):
        label, evasion = BY_MONTH[place]
        tactic = coming[place % len(coming)]
        seen = [*known, *coming[: place % len(coming)]]
        month_hams = parts[3][place * per_month : (place + 1) * per_month]
        quiet = len(month_hams) * 2 // 5
        halves = [
            _traffic(
                _drawn(pool, tactic, seen, chance), VARIANTS[half], part, evasion, chance, name
            )
            for half, pool, part, name in (
                ("first week", teach, month_hams[:quiet], f"m{place}w"),
                ("rest", judge, month_hams[quiet:], f"m{place}r"),
            )
        ]
        found.append(Month(label, tactic, halves[0], halves[1]))
    judged = [t for month in found for t in month.rest.filter(pl.col("label") == 0)["text"]]
    return Stream(base, found, judged)


def _drawn(
    pool: dict[str, list[str]], tactic: str, seen: list[str], chance: random.Random
) -> list[str]:
    """Return this month's scams: half of them of the new tactic, as far as there are any."""
    new = pool[tactic][: ROOTS // 2]
    old = [text for name in seen for text in pool[name]]
    return [*new, *chance.sample(old, min(len(old), ROOTS - len(new)))]


def _cut(texts: list[str], shares: list[float]) -> list[list[str]]:
    borders = np.cumsum([0, *[round(share * len(texts)) for share in shares]])
    parts = [texts[a:b] for a, b in pairwise(borders)]
    return [*parts, texts[borders[-1] :]]


def _traffic(
    scams: list[str],
    copies: int,
    hams: list[str],
    evasion: Evasion,
    chance: random.Random,
    name: str,
) -> pl.DataFrame:
    plain = BY_MONTH[0][1]
    sent = [
        (evasion if chance.random() < EVASIVE else plain)(text, chance)
        for text in scams
        for _ in range(copies)
    ]
    return both(list(dict.fromkeys(sent)), hams, name)


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
