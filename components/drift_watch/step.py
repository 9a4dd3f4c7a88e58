"""Ask, day by day, whether the champion still does what it was released for.

- misses: scams among audited scans that it let through, against its golden recall
- false alarms: harmless audited scans that it flagged, against its golden false-positive rate
- complaints: verdicts that a reviewer found wrong, per scan, against those of other versions
- objections: verdicts that users object to, per scan of its arm, against its own first week
- new campaigns: confirmed scams unlike anything that it learned from
- scores: different messages that are scored like neither class of its golden set

Audited scans are drawn at random, reported or not: what people complain about is another question
than what the model does.
"""

import json
import logging
from collections.abc import Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from components.drift_watch import novelty
from components.drift_watch.signals import DriftLimits, signals, together
from components.shared import messages
from components.shared.batches import read_batches
from components.shared.corpus_store import current_corpus, fetch_set
from shield.artifacts import ArtifactStore
from shield.client import ShieldClient
from shield.errors import NotFound
from shield.labels import ModelType
from shield.run_files import AddedMessages, BatchReference, CorpusSet
from shield.sequential import Counts
from shield.wire import (
    DRIFT_STEP,
    DRIFT_TRIGGER,
    DriftFacts,
    DriftLook,
    DriftVerdict,
    RunOutcome,
    RunRead,
    RunUpdate,
    VersionRead,
)

log = logging.getLogger(__name__)

REST = timedelta(days=7)
"""After a retraining that drift has asked for, the next waits so long while the champion stays."""
_NOTHING = Counts(0, 0)


def run(
    client: ShieldClient,
    store: ArtifactStore,
    report: Path,
    *,
    model_type: ModelType,
    run_id: str,
    now: datetime,
    limits: DriftLimits,
    cache: Path,
    goes_on: bool = False,
    engine: str = "local",
) -> DriftLook:
    """Look at all signals, write them to `report` (JSON), and record the look with the runs.

    Args:
        client: With the role `pipeline`.
        store: Where what taught the champion lies.
        report: File to write.
        model_type: Whose champion.
        run_id: Names the look, and the retraining that it asks for.
        now: When.
        limits: What counts as drift.
        cache: Directory for what is fetched.
        goes_on: The run goes on as a retraining where one is asked for, unless one that drift
            asked for has come to a verdict within the last week: what was refused yesterday would
            be trained, and refused, every day until the next weekly run.
        engine: What runs it.

    Returns:
        The look: `retrain`, `steady`, or `cannot_tell` when every signal has too little to go by.

    Raises:
        Unavailable: The API or the store does not answer. Never read as "steady".
    """
    client.start_run(run_id, model_type, engine=engine, trigger=DRIFT_TRIGGER)
    look = _look(client, store, model_type, now, limits, cache)
    if goes_on and look.verdict is DriftVerdict.RETRAIN:
        look = _unless_tried(look, client.runs(model_type=model_type), run_id)
    document = look.model_dump(mode="json", by_alias=True)
    report.parent.mkdir(parents=True, exist_ok=True)
    report.write_text(json.dumps(document, indent=1), encoding="utf-8")
    client.finish_run(
        run_id,
        RunUpdate(
            # A look that starts no training is no run: it counts neither as success nor as failure.
            outcome=RunOutcome.RUNNING if look.retrains else RunOutcome.SKIPPED,
            message=told(look),
            steps={DRIFT_STEP: document},
        ),
    )
    log.info(json.dumps({"event": "drift", "model": model_type, "verdict": look.verdict}))
    return look


def _unless_tried(look: DriftLook, runs: Iterable[RunRead], run_id: str) -> DriftLook:
    """Let a look go on as a retraining, unless one for this champion was tried lately."""
    for run in runs:
        lately = run.started_at > look.at - REST
        judged = run.outcome in (RunOutcome.SUCCEEDED, RunOutcome.REFUSED)
        same = run.steps.get(DRIFT_STEP, {}).get("champion") == look.champion
        if run.run_id != run_id and judged and lately and same:
            why = f"The retraining {run.run_id}, {run.outcome}, came of it this week."
            return look.model_copy(update={"reason": f"{look.reason} {why}"})
    return look.model_copy(update={"retrains": True})


def told(look: DriftLook) -> str:
    """Summarise a look in one paragraph."""
    return f"{look.verdict}: {look.reason}"[:2000]


def _look(
    client: ShieldClient,
    store: ArtifactStore,
    model_type: ModelType,
    now: datetime,
    limits: DriftLimits,
    cache: Path,
) -> DriftLook:
    common: dict[str, Any] = {"model_type": model_type, "at": now, "alpha": limits.alpha}
    try:
        facts = client.drift_facts(model_type)
    except NotFound:
        return DriftLook(
            **common,
            champion=None,
            verdict=DriftVerdict.CANNOT_TELL,
            reason="No version serves yet.",
        )
    champion = client.version(model_type, facts.version)
    taught, new = _campaigns(client, store, champion, facts, limits, cache)
    all_signals = signals(facts, champion.metrics, taught, new, limits)
    verdict = together(all_signals)
    return DriftLook(
        **common,
        champion=champion.name,
        verdict=verdict,
        signals=all_signals,
        arms=facts.arms,
        reason=" ".join(signal.message for signal in all_signals if signal.says is verdict),
    )


def _campaigns(
    client: ShieldClient,
    store: ArtifactStore,
    champion: VersionRead,
    facts: DriftFacts,
    limits: DriftLimits,
    cache: Path,
) -> tuple[Counts, dict[int, Counts]]:
    """Count campaigns unlike what taught: among what taught, and by day since the release."""
    if len(facts.campaigns) < limits.least_campaigns:
        return _NOTHING, {0: Counts(0, len(facts.campaigns))}  # nothing need be fetched
    known = novelty.known_campaigns(_taught(client, store, champion, cache))
    taught = novelty.unlike_itself(known, np.random.default_rng(0))
    texts: dict[int, list[str]] = {}
    for each in facts.campaigns:
        texts.setdefault((each.first_seen - facts.since).days, []).append(each.text)
    return taught, {day: novelty.unlike(began, known) for day, began in texts.items()}


def _taught(
    client: ShieldClient, store: ArtifactStore, champion: VersionRead, cache: Path
) -> pl.Series:
    """Return the scams that the champion could learn from: the corpus, then its batches."""
    model_type = champion.model_type
    entries: list[CorpusSet | AddedMessages] = []
    with suppress(NotFound):
        corpus = current_corpus(store, model_type)
        entries += [corpus.sets[name] for name in ("train", "valid") if name in corpus.sets]
        entries += corpus.added
    tables = [messages.read(fetch_set(store, entry, cache)) for entry in entries]
    references = [
        BatchReference.model_validate(batch)
        for batch in client.batches(model_type=model_type)
        if batch.id in champion.batches
    ]
    parts = [table.select("text", "label") for table in tables]
    if references:
        corrections = read_batches(store, references, model_type, cache)
        parts.append(corrections.select("text", "label"))
    if not parts:
        return pl.Series("text", [], dtype=pl.String)
    return pl.concat(parts).filter(pl.col("label") == 1)["text"]
