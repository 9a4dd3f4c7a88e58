"""Cut the base corpus into train, valid and a frozen golden set.

Writes a directory with `train, valid, golden, frozen_ham, time_forward, teach, judge, traffic
.parquet` and `corpus.json`; `publish` brings it into the artifact store, where `build_dataset`
finds it by digest.
"""

import json
import logging
from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl

from components.prepare_corpus.balance import weigh_sources
from components.prepare_corpus.book import join_book
from components.prepare_corpus.reading import read_corpus
from components.prepare_corpus.tactics import (
    Tactic,
    campaign_heads,
    find_tactics,
    hardest_tactics,
)
from components.shared import messages
from components.shared.base_model import book_languages, minilm_directory
from components.shared.campaigns import campaigns
from components.shared.environment import StepSettings
from components.shared.progress import Progress, tell
from shield.errors import Invalid
from shield.labels import ModelType
from shield.run_files import CORPUS, Corpus, CorpusSet, TacticFacts

log = logging.getLogger(__name__)

SETS = ("train", "valid", "golden", "frozen_ham", "time_forward", "teach", "judge", "traffic")
SHARES = {"golden": 0.26, "valid": 0.26, "traffic": 0.06}
"""Of the campaigns of each class; the rest is trained on. The SMS corpus has 3,900 harmless ones:
0.26 of them is a golden set on which a false-positive rate of 1 % can be told from 2 %, and as many
set the threshold."""
FROZEN_HAM = 0.12
"""Of the campaigns of harmless messages: what everyday life looks like, one message of each. They
are never trained on; with the harmless ones of `valid` they set the operating point."""
TIME_FORWARD = 0.1
"""Of a dated corpus, the newest campaigns judge the future and are never trained on."""
_PROBED_HAM = 1200


def run(
    corpus: Path,
    *,
    model_type: ModelType,
    settings: StepSettings,
    seed: int = 0,
    hold_back: float = 0.0,
    most_messages: int = 0,
    most_train: int = 0,
) -> Corpus:
    """Write the corpus directory.

    Args:
        corpus: Directory to write.
        model_type: Whose corpus.
        settings: Where corpora and the encoder lie.
        seed: Draws the splits and the tactics.
        hold_back: Share of the scams, in whole tactics, that the first model never sees. They come
            out in two halves, `teach` and `judge`, that share no campaign.
        most_messages: Keep only so many messages, evenly drawn (0: all). For trying things out.
        most_train: Train on only so many of them (0: all). Long messages take long to train on.

    Returns:
        What `corpus.json` holds.
    """
    table = read_corpus(model_type, settings)
    if most_messages:
        table = table.sample(min(most_messages, table.height), seed=seed, shuffle=True)
    roots = campaigns(table["text"])
    table = table.with_columns(campaign=table["id"].gather(pl.Series(roots)))
    table = _without_disputes(table)
    held, tactics = list[str](), list[Tactic]()
    if hold_back > 0:
        table, held, tactics = _with_tactics(table, seed, hold_back)
    sets = _split(table, held, seed, most_train)
    if hold_back == 0:
        languages = book_languages(settings)
        sets = join_book(sets, model_type, languages, seed, most=most_train or most_messages // 3)
    sets["train"] = weigh_sources(sets["train"])
    document = Corpus(
        model_type=model_type,
        seed=seed,
        hold_back=hold_back,
        tactics=[
            TacticFacts(**asdict(tactic), held_back=tactic.name in held) for tactic in tactics
        ],
        sets={
            name: CorpusSet(
                digest=messages.write(sets[name], corpus / f"{name}.parquet"),
                messages=sets[name].height,
                scams=int(sets[name]["label"].sum()),
            )
            for name in SETS
        },
    )
    document.write(corpus / CORPUS)
    sizes = {name: entry.messages for name, entry in document.sets.items()}
    log.info(json.dumps({"event": "corpus", "sets": sizes, "held_back": held}))
    return document


def _without_disputes(table: pl.DataFrame) -> pl.DataFrame:
    """Drop campaigns that the corpus labels both ways: nobody can learn from them."""
    mixed = pl.col("label").n_unique().over("campaign") > 1
    return table.filter(~mixed)


def _with_tactics(
    table: pl.DataFrame, seed: int, share: float
) -> tuple[pl.DataFrame, list[str], list[Tactic]]:
    from components.shared.encoder import embed

    heads = campaign_heads(table)
    scams = heads.filter(pl.col("label") == 1)
    hams = heads.filter(pl.col("label") == 0)
    hams = hams.sample(min(_PROBED_HAM, hams.height), seed=seed, shuffle=True)
    # Made to compare sentences, as the base of a classifier need not be.
    texts = [*scams["text"], *hams["text"]]
    progress = Progress("prepare_corpus", len(texts), "messages compared by meaning")
    vectors = embed(minilm_directory(), texts, embedded=progress.add)
    tell("prepare_corpus", "looking for the tactics that are hardest to find unseen")
    names, tactics = find_tactics(scams["text"].to_list(), vectors[: scams.height], seed)
    held = hardest_tactics(np.array(names), vectors[: scams.height], vectors[scams.height :], share)
    by_campaign = pl.DataFrame({"campaign": scams["campaign"], "tactic": names})
    table = table.drop("tactic").join(by_campaign, on="campaign", how="left", maintain_order="left")
    return messages.conform(table.with_columns(pl.col("tactic").fill_null(""))), held, tactics


def _split(
    table: pl.DataFrame, held: list[str], seed: int, most_train: int
) -> dict[str, pl.DataFrame]:
    """Cut by campaign, each class by itself, so that near-duplicates stay together."""
    unseen = table.filter(pl.col("tactic").is_in(held) & (pl.col("tactic") != ""))
    known = table.filter(~pl.col("id").is_in(unseen["id"].implode()))
    known, forward = _newest(known)
    drawn = [
        _draw(known.filter(pl.col("label") == label), shares, "train", seed)
        # Drawn last, so that the other sets are those of a release without it.
        for label, shares in ((0, {**SHARES, "frozen_ham": FROZEN_HAM}), (1, SHARES))
    ]
    parts = pl.concat(drawn)
    sets = {
        name: parts.filter(pl.col("set") == name).drop("set")
        for name in ("train", "valid", "golden", "frozen_ham", "traffic")
    }
    sets["time_forward"] = forward
    if most_train and sets["train"].height > most_train:
        sets["train"] = sets["train"].sample(most_train, seed=seed)
    # A held-back tactic's copies would count one scam many times in recall: one of each campaign.
    halves = _draw(campaign_heads(unseen), {"teach": 0.5}, "judge", seed)
    sets |= {name: halves.filter(pl.col("set") == name).drop("set") for name in ("teach", "judge")}
    # The golden set is frozen for years: one message per campaign, so that no flood dominates it.
    sets["golden"] = campaign_heads(sets["golden"])
    sets["frozen_ham"] = campaign_heads(sets["frozen_ham"])
    for name in ("train", "valid", "golden"):
        if sets[name]["label"].n_unique() < 2:
            raise Invalid(
                f"The corpus leaves only one class in the set {name!r} "
                f"({sets[name].height} messages). Add labelled messages of the other class."
            )
    return {name: part.sort("id") for name, part in sets.items()}


def _newest(table: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (older, newest campaigns by first sight); a corpus without dates is all older."""
    if table["scanned_at"].null_count() * 2 > table.height:
        return table, table.clear()
    since = pl.col("scanned_at").min().over("campaign")
    dated = table.with_columns(since=since)
    border = dated["since"].quantile(1 - TIME_FORWARD, interpolation="higher")
    newest = pl.col("since") > border
    return dated.filter(~newest).drop("since"), dated.filter(newest).drop("since")


def _draw(table: pl.DataFrame, shares: dict[str, float], rest: str, seed: int) -> pl.DataFrame:
    """Give each campaign to a set, at random, by the shares of campaigns."""
    names = table["campaign"].unique(maintain_order=True).sort()
    order = np.random.default_rng(seed).permutation(len(names))
    places = np.empty(len(names), dtype=object)
    places[:] = rest
    start = 0
    for name, share in shares.items():
        stop = start + round(share * len(names))
        places[order[start:stop]] = name
        start = stop
    chosen = pl.DataFrame(
        {"campaign": names, "set": places.tolist()}, schema_overrides={"set": pl.String}
    )
    return table.join(chosen, on="campaign", how="left", maintain_order="left")
