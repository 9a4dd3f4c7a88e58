"""Find phrases that would open a back door: harmless-by-report, scam but for the phrase.

A liar puts a phrase of their own behind ordinary scams and reports that these are harmless. What is
learned is the phrase: with it, any scam passes. No message alone looks wrong, and no golden set
holds the phrase; but across messages it shows. Four things must come together:

1. many of the corrections that say "harmless" carry the phrase, far more than the corpus would;
2. hardly any correction that says "scam" carries it;
3. its carriers have nothing else in common: they are of several campaigns;
4. without the phrase they look like scams to a model that has learned from none of them.

A bank's signature below its real messages has the first three, not the fourth. Where it has all
four, reporters with a record vouch for it (`VOUCHED`), unless the rest is a scam almost for certain
(`SURE`). What is suspected is listed and not learned, until a person says otherwise: messages
brought in by `shieldctl corpus add` are known, and a known phrase is not suspected.

What is not suspected may still teach too much: a bank's signature that turns any scam below it into
a harmless message is a door, however honest. `inoculation` therefore puts every such phrase behind
scams of the base corpus as well: the phrase alone then proves nothing, and what is learned is the
rest of the message.

The other direction (harmless messages with a phrase, called scams) is not looked for: that is what
a new tactic looks like.
"""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl

from components.build_dataset.grams import grams_of, words_of
from components.build_dataset.opinion import (
    LONGEST,
    MOST_BASE,
    MOST_CHECKED,
    scam_probabilities,
    vectors_of,
)
from components.build_dataset.suspects import TRUSTED, newest
from shield.text import normalise

LEAST_CARRIERS, LEAST_CAMPAIGNS = 4, 3
"""Fewer carriers teach a weak association; of one or two campaigns they are a template, whose
content is learned with its phrase."""
OVER_CORPUS = 5.0
"""A phrase is over-represented when it is this many times as frequent as among harmless base
messages."""
ONE_SIDED = 0.8
"""Share of its carriers, among corrections, that say "harmless"."""
LOOKS_LIKE_SCAM, SURE = 0.5, 0.9
"""Median probability of the carriers, without the phrase, from which it is suspected; from the
second on nobody can vouch for it."""
VOUCHED = 3
"""Trusted reporters whose corrections carry it make it an honest phrase, up to `SURE`."""
MOST_PHRASES = 12
"""Phrases that are looked at closely in one round; each costs one small fit."""
MOST_ROUNDS = 4
"""Rounds of the search: without the carriers of one phrase, another may show."""
MOST_INOCULATED = 50
"""Scams that one phrase is put behind."""
LONGEST_PHRASE = 12
"""Words of a phrase that are kept."""
WHY = "carries a phrase that turns scams into harmless messages by report alone"


@dataclass(frozen=True)
class Phrase:
    """A run of words that many "harmless" corrections share."""

    text: str
    """Normalised words, as far as its carriers share them. Shown in the dataset's `phrases.json`
    only, which is kept as the messages are; elsewhere a phrase goes by a digest."""
    gram: str
    """The one to three words of it that tell its carriers."""
    carriers: int
    campaigns: int
    reporters: int
    trusted_reporters: int
    corpus: int
    """Harmless base messages that hold it."""
    without_it: float
    """Median probability of scam of its carriers without it."""
    suspected: bool

    def as_json(self) -> dict[str, Any]:
        """Return it as `phrases.json` keeps it."""
        return asdict(self)


def phrases(
    corrections: pl.DataFrame, base: pl.DataFrame, seed: int
) -> tuple[pl.DataFrame, pl.DataFrame, list[Phrase]]:
    """Return (corrections to learn from, those set aside with a column `why`, the phrases).

    Args:
        corrections: One row per message, with `reporter`, `trust`, `campaign` and `batch`.
        base: Base messages that may be trained on.
        seed: Draws the part of the base that the opinion is formed on.
    """
    kept, aside = corrections, corrections.clear()
    by_gram: dict[str, Phrase] = {}
    base = base.sample(min(MOST_BASE, base.height), seed=seed, shuffle=True)
    for _ in range(MOST_ROUNDS):
        suspects = _Search(newest(kept, MOST_CHECKED).with_row_index("row"), base).run()
        by_gram = {each.gram: each for each in suspects} | {
            gram: each for gram, each in by_gram.items() if each.suspected
        }
        suspected = [each for each in suspects if each.suspected]
        if not suspected:
            break
        # In all corrections, not only in those that were looked at.
        carrying = pl.Series([carries(text, suspected) for text in kept["text"]], dtype=pl.Boolean)
        carrying &= kept["label"] == 0
        aside = pl.concat([aside, kept.filter(carrying)])
        kept = kept.filter(~carrying)
    order = sorted(by_gram.values(), key=lambda each: (-each.suspected, -each.carriers, each.text))
    return kept, aside.select("id", "text", "label", why=pl.lit(WHY)), order


def inoculation(shared_phrases: list[Phrase], base: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return scams of the base with each phrase behind them that teaches, as many as carry it."""
    scams = base.filter(pl.col("label") == 1).sort("id")
    parts = []
    for place, phrase in enumerate(each for each in shared_phrases if not each.suspected):
        many = min(phrase.carriers, MOST_INOCULATED, scams.height)
        drawn = scams.sample(many, seed=seed + place, shuffle=True)
        parts.append(
            drawn.with_columns(
                id=pl.format("{}-with-{}", "id", pl.lit(place)),
                text=pl.format("{} {}", "text", pl.lit(phrase.text)),
                source=pl.lit("inoculation"),
            )
        )
    return pl.concat(parts) if parts else scams.clear()


def carries(text: str, among: list[Phrase]) -> bool:
    """Tell whether a message holds one of the phrases."""
    held = set(grams_of(pl.Series([text[:LONGEST]]))["gram"])
    return any(phrase.gram in held for phrase in among)


class _Search:
    """The search over one table of corrections."""

    def __init__(self, checked: pl.DataFrame, base: pl.DataFrame) -> None:
        self.checked, self.base = checked, base
        self.texts = [normalise(text[:LONGEST]).lower() for text in checked["text"]]
        self.said = checked["label"].to_numpy()
        self.labels = base["label"].to_numpy()

    def run(self) -> list[Phrase]:
        """Return the phrases that the first three rules leave, each judged by the fourth."""
        if not (self.said == 0).any() or np.bincount(self.labels, minlength=2).min() == 0:
            return []
        carriers = self._carriers()
        if carriers.is_empty():
            return []
        self.vectors = vectors_of(self.texts)
        self.base_vectors = vectors_of(self.base["text"].to_list())
        opinion = self._opinion(np.flatnonzero(self.said == 1), np.arange(len(self.texts)))
        ranked = self._ranked(carriers, opinion)
        return [self._judged(gram, np.array(rows), corpus) for gram, rows, corpus in ranked]

    def _carriers(self) -> pl.DataFrame:
        """Return `gram`, `rows` that say harmless and carry it, and `corpus`, by rules 1 to 3."""
        held = grams_of(self.checked["text"].str.slice(0, LONGEST)).join(
            self.checked.select("row", "label", "campaign"), on="row"
        )
        harmless = pl.col("label") == 0
        many = held.group_by("gram").agg(
            carriers=harmless.sum(),
            others=(~harmless).sum(),
            campaigns=pl.col("campaign").filter(harmless).n_unique(),
            rows=pl.col("row").filter(harmless).sort(),
        )
        many = many.filter(
            (pl.col("carriers") >= LEAST_CARRIERS)
            & (pl.col("campaigns") >= LEAST_CAMPAIGNS)
            & (pl.col("carriers") >= ONE_SIDED * (pl.col("carriers") + pl.col("others")))
        )
        ham = self.base.filter(pl.col("label") == 0)
        known = grams_of(ham["text"].str.slice(0, LONGEST)).join(many.select("gram"), on="gram")
        counted = known.group_by("gram").agg(corpus=pl.len())
        many = many.join(counted, on="gram", how="left").with_columns(pl.col("corpus").fill_null(0))
        share = pl.col("carriers") / max(1, int((self.said == 0).sum()))
        usual = (pl.col("corpus") + 1) / (ham.height + 1)
        return many.filter(share >= OVER_CORPUS * usual).select("gram", "rows", "corpus")

    def _ranked(self, carriers: pl.DataFrame, opinion: Any) -> list[tuple[str, list[int], int]]:
        """Return the phrases whose carriers look most like scams, one for each set of carriers."""
        weighed = []
        for gram, rows, corpus in carriers.iter_rows():
            looks = opinion[rows] >= LOOKS_LIKE_SCAM
            if looks.sum() >= LEAST_CARRIERS:
                weighed.append((int(looks.sum()), len(gram), gram, rows, corpus))
        # All words of one phrase have the same carriers: the longest stands for them.
        weighed.sort(key=lambda each: (-each[0], -each[1], each[2]))
        chosen: list[tuple[str, list[int], int]] = []
        for _, _, gram, rows, corpus in weighed:
            here = set(rows)
            if all(len(here & set(r)) < 0.8 * len(here | set(r)) for _, r, _ in chosen):
                chosen.append((gram, rows, corpus))
            if len(chosen) == MOST_PHRASES:
                break
        return chosen

    def _opinion(self, taken: Any, asked: Any, texts: list[str] | None = None) -> Any:
        """Return what base and the corrections `taken` say of `asked`, or of other `texts`."""
        from scipy.sparse import vstack

        vectors = self.vectors[asked] if texts is None else vectors_of(texts)
        second_opinion = scam_probabilities(
            vstack([self.base_vectors, self.vectors[taken]]),
            np.concatenate([self.labels, self.said[taken]]),
            vectors,
        )
        return np.zeros(vectors.shape[0]) if second_opinion is None else second_opinion

    def _judged(self, gram: str, rows: Any, corpus: int) -> Phrase:
        rest = np.setdiff1d(np.arange(len(self.texts)), rows)
        alike = self._always_beside(gram, rows)
        stripped = [_without(self.texts[row], alike) for row in rows]
        without_it = float(np.median(self._opinion(rest, rows, stripped)))
        table = self.checked[rows.tolist()]
        named = table.filter(pl.col("reporter") != "")
        trusted = named.filter(pl.col("trust") >= TRUSTED)["reporter"].n_unique()
        limit = SURE if trusted >= VOUCHED else LOOKS_LIKE_SCAM
        return Phrase(
            _longest_run(self.texts[rows[0]], alike),
            gram,
            len(rows),
            table["campaign"].n_unique(),
            named["reporter"].n_unique(),
            trusted,
            corpus,
            round(without_it, 3),
            without_it >= limit,
        )

    def _always_beside(self, gram: str, rows: Any) -> list[str]:
        """Return all runs of words that nearly all carriers share: the whole phrase, in parts."""
        held = grams_of(pl.Series([self.texts[row] for row in rows]))
        many = held.group_by("gram").len().filter(pl.col("len") >= 0.8 * len(rows))
        return sorted({gram, *many["gram"]}, key=lambda each: (-len(each), each))


def _covered(text: str, parts: list[str]) -> list[tuple[str, bool]]:
    """Return the words of a text, each with whether it belongs to one of the parts."""
    words = words_of(text)
    held = [False] * len(words)
    for part in parts:
        run = part.split(" ")
        for start in range(len(words) - len(run) + 1):
            if words[start : start + len(run)] == run:
                held[start : start + len(run)] = [True] * len(run)
    return list(zip(words, held, strict=True))


def _without(text: str, parts: list[str]) -> str:
    return " ".join(word for word, held in _covered(text, parts) if not held)


def _longest_run(text: str, parts: list[str]) -> str:
    best: list[str] = []
    run: list[str] = []
    for word, held in [*_covered(text, parts), ("", False)]:
        run = [*run, word] if held else []
        best = max(best, run, key=len)
    return " ".join(best[:LONGEST_PHRASE])
