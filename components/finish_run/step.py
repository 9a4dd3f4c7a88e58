"""Record how a run ended; release the batch of a run that failed."""

import json
import logging
from contextlib import suppress

from components.shared import datasets
from components.shared.runs import read_outcome
from shield.artifacts import ArtifactStore
from shield.client import ShieldClient
from shield.errors import LeaseLost, NotFound
from shield.labels import ModelType
from shield.run_files import Outcome
from shield.wire import BatchStatus, RunOutcome, RunRead, RunUpdate

log = logging.getLogger(__name__)

FAILED = "FAILED"
"""The only state that is believed. Kubeflow Pipelines 2.17 says RUNNING of a run whose branch was
not taken and of one whose pods were killed, 2.16 of every run."""


def run(
    client: ShieldClient,
    store: ArtifactStore,
    *,
    model_type: ModelType,
    run_id: str,
    job_id: str,
    state: str,
    error: str = "",
    engine: str = "local",
) -> RunRead:
    """Record the outcome, give the batch of a failed run back at once, and remove the dataset.

    Args:
        client: With the role `pipeline`.
        store: Where the steps left what they found.
        model_type: Of the run.
        run_id: Of this run.
        job_id: The engine's name of it.
        state: What the engine says of all steps together.
        error: What the engine says of a failure, if anything.
        engine: What ran it.
    """
    record: Outcome | None = None
    with suppress(NotFound):
        record = read_outcome(store, run_id)
    update = outcome_of(record, job_id=job_id, state=state, error=error)
    if update.outcome is RunOutcome.FAILED:
        _release(client, run_id, update.message)
    log.info(json.dumps({"event": "finished", "run": run_id, "outcome": update.outcome}))
    try:
        finished = client.finish_run(run_id, update)
    except NotFound:
        # Its first step never came so far as to record that it began, e.g. for want of an image.
        client.start_run(run_id, model_type, engine=engine)
        finished = client.finish_run(run_id, update)
    datasets.forget(store, run_id)
    return finished


def outcome_of(record: Outcome | None, *, job_id: str, state: str, error: str = "") -> RunUpdate:
    """Decide how a run ended, by its own record and by what the engine says.

    Args:
        record: What the steps have found; None: the first did not come so far.
        job_id: The engine's name of the run.
        state: What the engine says of all steps together; see `FAILED`.
        error: What the engine says of a failure, if anything.

    Returns:
        What the record says, if this run has written it to its end and no step has failed.
        Otherwise the run failed.
    """
    ours = record is not None and record.job_id in ("", job_id)
    if record is None or not ours:
        failure = "The run ended before its first step had begun."
    elif state == FAILED:
        failure = "A step failed; the graph of the run shows which, with its log."
    elif not record.ended:
        failure = (
            f"The run was stopped before its last step had ended (the engine says {state}): pods "
            "were killed, evicted or could not start."
        )
    else:
        return RunUpdate(
            outcome=record.outcome,
            message=record.message[:2000],
            version=record.version,
            report_uri=record.report_uri,
        )
    return RunUpdate(outcome=RunOutcome.FAILED, message=(error or failure)[:2000])


def _release(client: ShieldClient, run_id: str, failure: str) -> None:
    for batch in client.batches(status=BatchStatus.LEASED):
        if batch.run_id == run_id:
            # Lost between the two calls: it is already where it should be.
            with suppress(LeaseLost, NotFound):
                client.release_batch(batch.id, run_id, f"failed: {failure}"[:1000])
