"""Build the dataset of a retraining from corrections and replay, split so that nothing leaks.

Order matters: near-duplicates are found over everything at once, *before* any split, and the frozen
sets (golden, valid) come first, so that a correction that resembles one of them is never learned.
"""

import json
import logging
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from components.build_dataset.card import write_card
from components.build_dataset.comparison import compared
from components.build_dataset.corrections import Caps, outvote, settle
from components.build_dataset.phrases import Phrase, inoculation, phrases
from components.build_dataset.splitting import replay as rehearse
from components.build_dataset.splitting import split
from components.build_dataset.suspects import suspects
from components.shared import messages
from components.shared.batches import corrections_in, read_batches
from components.shared.campaigns import campaigns, hosts_of, near
from components.shared.corpus_store import fetch_set, read_training
from components.shared.dataset_readme import write_readme
from components.shared.progress import tell
from shield.artifacts import ArtifactStore
from shield.errors import Invalid
from shield.labels import ModelType
from shield.run_files import (
    DATASET,
    Corpus,
    DatasetFacts,
    PhraseCounts,
    RunInputs,
    SetCounts,
)

log = logging.getLogger(__name__)

FROZEN = ("golden", "valid", "time_forward", "frozen_ham")
"""Sets of the corpus that never teach; what resembles them is not learned."""
JUDGE = "judge"
"""What the book judges: handed on. What users report of it is learned, as no gate looks at it."""
OF_GOLDEN = "belongs to a golden campaign: it judges models, so it teaches none"
OF_FROZEN = "resembles a message of a frozen set (validation, time forward, frozen ham)"
REPLAY_FACTOR, LEAST_REPLAY = 3, 900
"""Base messages rehearsed per correction, and at least. Below twice the corrections a champion
begins to forget; above four times a retraining only becomes longer."""


def run(
    inputs: Path,
    store: ArtifactStore,
    dataset: Path,
    card: Path,
    *,
    cache: Path,
    seed: int = 0,
    caps: Caps | None = None,
    replay: int = 0,
    set_suspects_aside: bool = True,
) -> DatasetFacts:
    """Write the dataset directory and its card.

    Args:
        inputs: From `collect`.
        store: Where batches and corpora lie.
        dataset: Directory to write: `train, base, valid, watched, golden, frozen_ham,
            time_forward, fresh, old_errors, judge, set_aside .parquet`, `phrases.json`,
            `dataset.json`.
        card: HTML file to write.
        cache: Directory for what is fetched.
        seed: Draws the replay.
        caps: How much one voice may teach.
        replay: Base messages to rehearse; 0: by the number of corrections.
        set_suspects_aside: Look for label errors and liars, and leave them out.

    Returns:
        What `dataset.json` holds.

    Raises:
        Invalid: Nothing to learn from, or a class is missing.
        ArtifactCorrupt: A batch or a corpus is not what its digest says.
    """
    run_inputs = RunInputs.read(inputs)
    if run_inputs.batch is None or run_inputs.corpus is None:
        raise Invalid(f"{inputs} names no batch and corpus to learn from. Run `collect` again.")
    model_type = run_inputs.model_type
    base = _base_sets(store, run_inputs.corpus, cache)
    references = [*run_inputs.earlier, run_inputs.batch]
    tell("build_dataset", f"reading {len(references)} batches of corrections")
    rows = read_batches(store, references, model_type, cache)
    corrections, aside = settle(rows, caps or Caps(), check_reporters=set_suspects_aside)
    del rows
    tell("build_dataset", f"grouping {corrections.height:,} corrections by campaign")
    corrections, train_base, dropped, ids = _group(corrections, base, caps or Caps())
    aside = pl.concat([aside, dropped])
    shared_phrases: list[Phrase] = []
    if set_suspects_aside:
        tell("build_dataset", f"looking for wrong labels among {corrections.height:,} corrections")
        corrections, doubted = suspects(corrections, train_base, seed)
        corrections, carriers, shared_phrases = phrases(corrections, train_base, seed)
        aside = pl.concat([aside, doubted, carriers])
    now = pl.col("batch") == run_inputs.batch.id
    earlier = corrections.filter(~now)
    shift = compared(corrections.filter(now), earlier if earlier.height else train_base)
    parts = split(corrections, run_inputs.batch.id)
    replay_count = replay or max(LEAST_REPLAY, REPLAY_FACTOR * parts["teach"].height)
    rehearsed = rehearse(train_base, replay_count, seed)
    inoculated = inoculation(shared_phrases, train_base, seed)
    named = partial(_named, ids)
    train = pl.concat([named(each) for each in (parts["teach"], rehearsed, inoculated)]).sort("id")
    _check(train, model_type)
    sets = {
        "train": train,
        "valid": base["valid"],
        "watched": named(parts["watched"]),
        "golden": base["golden"],
        "frozen_ham": base["frozen_ham"],
        "time_forward": pl.concat([named(parts["time_forward"]), base["time_forward"]]),
        "fresh": named(parts["fresh"]),
        "old_errors": named(parts["old_errors"]),
        "judge": base[JUDGE],
    }
    digests = {
        name: messages.write(table, dataset / f"{name}.parquet") for name, table in sets.items()
    }
    # All of the base, for the linear half: it is fitted anew, or told what of it has to stay right.
    messages.write(named(train_base), dataset / "base.parquet")
    aside.sort("id").write_parquet(dataset / "set_aside.parquet")
    listing = json.dumps([each.as_json() for each in shared_phrases], indent=1, ensure_ascii=False)
    (dataset / "phrases.json").write_text(listing, encoding="utf-8")
    facts = DatasetFacts(
        model_type=model_type,
        fresh_feedback=corrections_in(run_inputs.batch, cache),
        golden_digest=run_inputs.corpus.sets["golden"].digest,
        corpus=run_inputs.corpus.teaching(),
        batches=[each.id for each in references],
        run_id=run_inputs.run_id,
        sealed_at=run_inputs.batch.sealed_at,
        lease=run_inputs.lease,
        taught=parts["teach"].height,
        replayed=rehearsed.height,
        beside_before=shift,
        phrases=PhraseCounts(
            looked_at=len(shared_phrases),
            suspected=sum(each.suspected for each in shared_phrases),
            inoculated=inoculated.height,
        ),
        set_aside=dict(aside.group_by("why").len().sort("why").iter_rows()),
        counts={
            name: SetCounts(messages=table.height, scams=int(table["label"].sum()))
            for name, table in sets.items()
        },
        digests=digests,
    )
    facts.write(dataset / DATASET)
    write_readme(dataset, facts)
    write_card(card, facts, sets, aside)
    sizes = {name: count.messages for name, count in facts.counts.items()}
    log.info(json.dumps({"event": "dataset", "sets": sizes, "set_aside": facts.set_aside}))
    return facts


def _base_sets(store: ArtifactStore, corpus: Corpus, cache: Path) -> dict[str, pl.DataFrame]:
    sets = {
        # A corpus published by an earlier release has no set of this name yet.
        name: messages.read(fetch_set(store, corpus.sets[name], cache))
        if name in corpus.sets
        else messages.empty()
        for name in (*FROZEN, JUDGE)
    }
    sets["train"] = read_training(store, corpus, cache)
    return sets


def _group(
    corrections: pl.DataFrame, base: dict[str, pl.DataFrame], caps: Caps
) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame, pl.Series]:
    """Number campaigns over everything at once; drop what resembles a frozen set, and floods.

    Returns:
        (corrections, base training messages, what was dropped, and the name of each campaign: the
        id of the message that has its number).
    """
    frozen = pl.concat([base[name] for name in FROZEN])
    everything = pl.concat([frozen["text"], corrections["text"], base["train"]["text"]])
    roots = campaigns(everything).astype(np.uint32)
    first, last = frozen.height, frozen.height + corrections.height
    near_frozen = roots < frozen.height
    # Base messages were split by the corpus; corrections come from anywhere.
    near_frozen[first:last] |= near(corrections["text"], frozen["text"])
    golden = base["golden"]["text"]
    of_golden = (roots < len(golden))[first:last] | near(corrections["text"], golden)
    ids = pl.concat([frozen["id"], corrections["id"], base["train"]["id"]])
    named = corrections.with_columns(
        campaign=pl.Series(roots[first:last]),
        hosts=hosts_of(corrections["text"]),
        frozen=pl.Series(near_frozen[first:last], dtype=pl.Boolean),
        golden=pl.Series(of_golden, dtype=pl.Boolean),
    )
    leaking = named.filter("frozen")
    named = named.filter(~pl.col("frozen")).drop("frozen", "golden")
    named, outvoted = outvote(named)
    place = pl.int_range(pl.len()).over("campaign")
    flood = named.filter(place >= caps.per_campaign)
    named = named.filter(place < caps.per_campaign)
    # What users say now outweighs what a corpus said then: base messages that a correction
    # contradicts (the same campaign with another label) are not rehearsed.
    train = base["train"].with_columns(campaign=pl.Series(roots[last:]))
    train = train.with_columns(hosts=hosts_of(train["text"]))
    said = named.group_by("campaign", "hosts").agg(pl.col("label").mean().alias("said"))
    train = train.filter(~pl.Series(near_frozen[last:], dtype=pl.Boolean))
    train = train.join(said, on=["campaign", "hosts"], how="left", maintain_order="left")
    train = train.filter(
        pl.col("said").is_null() | ((pl.col("said") > 0.5) == (pl.col("label") == 1))
    ).drop("said", "hosts")
    why = pl.when("golden").then(pl.lit(OF_GOLDEN)).otherwise(pl.lit(OF_FROZEN))
    dropped = pl.concat(
        [
            leaking.select("id", "text", "label", why=why),
            outvoted,
            flood.select("id", "text", "label", why=pl.lit("beyond the cap of its campaign")),
        ]
    )
    return named.drop("hosts"), train, dropped, ids


def _named(ids: pl.Series, table: pl.DataFrame) -> pl.DataFrame:
    """Return a table of messages with the names of its campaigns for their numbers."""
    return messages.conform(table.with_columns(campaign=ids.gather(table["campaign"])))


def _check(train: pl.DataFrame, model_type: ModelType) -> None:
    counts = np.bincount(train["label"].to_numpy(), minlength=2)
    if counts.min() == 0:
        raise Invalid(
            f"The training set of {model_type} has {counts[0]} harmless messages and {counts[1]} "
            "scams; both are needed. Add messages of the missing class: `shieldctl corpus add`."
        )
