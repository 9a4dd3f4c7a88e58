"""Lease a sealed batch and pin the run's inputs.

What a run starts from (batch, earlier batches, champion, corpus) is written once into the artifact
store under the run's id. A run that was killed and starts again finds it there and repeats exactly
the same work, even if another version has become champion in between.
"""

import json
import logging
from pathlib import Path

from components.shared.corpus_store import current_corpus, name_current
from components.shared.golden_labels import corrected
from components.shared.runs import run_key
from shield.artifacts import ArtifactStore
from shield.client import ShieldClient
from shield.errors import Misconfigured, NotFound
from shield.labels import ModelType
from shield.packages import Trust, pull
from shield.run_files import BatchReference, GoldenFigures, Lease, RunInputs, write_history
from shield.wire import BatchRead, BatchStatus, VersionStatus

log = logging.getLogger(__name__)

LEASED, TOO_FEW = "leased", "too_few"
_PUBLIC = ("goldenDigest", "goldenAccuracy", "goldenFpr", "goldenRecall")


def run(
    client: ShieldClient,
    store: ArtifactStore,
    inputs: Path,
    champion: Path,
    history: Path,
    *,
    model_type: ModelType,
    run_id: str,
    min_feedback: int,
    lease_seconds: float,
    package_cache: Path,
    trust: Trust,
) -> str:
    """Lease the batch; write what the run starts from.

    Args:
        client: With the role `pipeline`.
        store: Where batches, packages and corpora lie.
        inputs: JSON file to write: batch, earlier batches, champion, corpus.
        champion: Directory to write: the champion's package, empty when there is none.
        history: JSON file to write: golden figures of earlier versions.
        model_type: Whose corrections.
        run_id: The same id gets the same batch and the same inputs again.
        min_feedback: With fewer approved corrections nothing is leased.
        lease_seconds: The batch returns by itself after that long without a sign of life.
        package_cache: Where pulled packages are kept.
        trust: Whose signature the champion must bear.

    Returns:
        "leased" or "too_few". An outage is neither: it is raised.

    Raises:
        Unavailable: The API or the store does not answer. Never read as "no feedback".
        Misconfigured: There is no base corpus in the store yet.
    """
    lease = client.lease_batch(
        model_type, run_id, minimum=min_feedback, lease_seconds=lease_seconds
    )
    champion.mkdir(parents=True, exist_ok=True)
    if lease.outcome == TOO_FEW or lease.batch is None:
        RunInputs(
            model_type=model_type, run_id=run_id, count=lease.count, minimum=lease.minimum
        ).write(inputs)
        write_history(history, [])
        log.info(json.dumps({"event": "too-few", "count": lease.count, "minimum": lease.minimum}))
        return TOO_FEW
    pinned = _pinned(client, store, model_type, run_id, lease.batch)
    pinned.lease = Lease(batch=lease.batch.id, run_id=run_id, seconds=lease_seconds)
    pinned.write(inputs)
    write_history(history, pinned.history)
    if pinned.champion is not None:
        package = pull(store, pinned.champion.uri, pinned.champion.digest, package_cache, trust)
        _link_tree(package.path, champion)
    log.info(json.dumps({"event": "leased", "batch": lease.batch.id, "count": lease.batch.count}))
    if lease.unreadable:
        log.warning(json.dumps({"event": "unreadable", "count": lease.unreadable}))
    return LEASED


def _pinned(
    client: ShieldClient,
    store: ArtifactStore,
    model_type: ModelType,
    run_id: str,
    batch: BatchRead,
) -> RunInputs:
    """Return the inputs that this run has pinned before, or pin them now."""
    key = run_key(run_id, "inputs")
    try:
        kept = RunInputs.parse(store.get(key), key)
        was = kept.batch.id if kept.batch else None
        if was == batch.id:
            return kept
        # The lease had run out and the rows were sealed anew: what was pinned is no longer ours.
        log.warning(json.dumps({"event": "batch-changed", "was": was, "is": batch.id}))
    except NotFound:
        pass
    fresh = _look_around(client, store, model_type, run_id, batch)
    store.put(key, fresh.as_json(), overwrite=True)
    return fresh


def _look_around(
    client: ShieldClient,
    store: ArtifactStore,
    model_type: ModelType,
    run_id: str,
    batch: BatchRead,
) -> RunInputs:
    try:
        serving = client.champion(model_type).ref
    except NotFound:
        serving = None
    try:
        corpus = current_corpus(store, model_type)
    except NotFound as error:
        raise Misconfigured(
            f"There is no base corpus for {model_type} in the artifact store. Train a first model "
            f"(`shieldctl model train {model_type}`), or add messages "
            f"(`shieldctl corpus add {model_type} FILE`)."
        ) from error
    corpus, changed = corrected(store, corpus, client.reviewed_golden_labels(model_type))
    if changed:
        # The corpus may have been added to or taken from meanwhile: only this much is changed.
        golden = {"golden": corpus.sets["golden"]}
        present = current_corpus(store, model_type)
        sets = {"sets": {**present.sets, **golden}, "relabelled": corpus.relabelled}
        corpus = present.model_copy(update=sets)
        name_current(store, corpus)
        digest = corpus.sets["golden"].digest
        log.warning(json.dumps({"event": "golden-corrected", "ids": changed, "digest": digest}))
    earlier = [
        BatchReference.model_validate(each)
        for each in client.batches(model_type=model_type, status=BatchStatus.ACKNOWLEDGED)
        if each.id != batch.id
    ]
    return RunInputs(
        model_type=model_type,
        run_id=run_id,
        batch=BatchReference.model_validate(batch),
        earlier=sorted(earlier, key=lambda each: each.id),
        champion=serving,
        corpus=corpus,
        history=_history(client, model_type),
    )


def _history(client: ShieldClient, model_type: ModelType) -> list[GoldenFigures]:
    """Return the golden figures of every version that passed the gates."""
    return [
        GoldenFigures.model_validate({"version": version.name, **version.metrics})
        for version in client.versions(model_type)
        if version.status is not VersionStatus.REFUSED
        and all(name in version.metrics for name in _PUBLIC)
    ]


def _link_tree(source: Path, target: Path) -> None:
    """Copy a package's files; as hard links where the file system allows."""
    for file in sorted(source.iterdir()):
        place = target / file.name
        place.unlink(missing_ok=True)
        try:
            place.hardlink_to(file)
        except OSError:
            place.write_bytes(file.read_bytes())
