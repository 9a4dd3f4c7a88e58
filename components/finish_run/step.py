"""Record how a run ended; release the batch of a run that failed."""

import json
import logging
from contextlib import suppress

from components.shared.runs import read_outcome
from shield.artifacts import ArtifactStore
from shield.client import ShieldClient
from shield.errors import LeaseLost, NotFound
from shield.wire import BatchStatus, RunOutcome, RunRead, RunUpdate

log = logging.getLogger(__name__)


def run(
    client: ShieldClient, store: ArtifactStore, *, run_id: str, succeeded: bool, failure: str
) -> RunRead:
    """Record the outcome, and release the batch of a failed run at once, before its lease ends.

    Args:
        client: With the role `service`.
        store: Where the steps left what they found.
        run_id: Of this run.
        succeeded: Whether every step ended well. A skip and a refusal end well.
        failure: What is known of a failure.
    """
    if succeeded:
        said = read_outcome(store, run_id)
        update = RunUpdate(
            outcome=said.outcome,
            message=said.message,
            version=said.version,
            report_uri=said.report_uri,
        )
    else:
        _release(client, store, run_id, failure)
        update = RunUpdate(outcome=RunOutcome.FAILED, message=failure[:2000])
    log.info(json.dumps({"event": "finished", "run": run_id, "outcome": update.outcome}))
    return client.finish_run(run_id, update)


def _release(client: ShieldClient, store: ArtifactStore, run_id: str, failure: str) -> None:
    for batch in client.batches(status=BatchStatus.LEASED):
        if batch.run_id == run_id:
            # Lost between the two calls: it is already where it should be.
            with suppress(LeaseLost, NotFound):
                client.release_batch(batch.id, run_id, f"failed: {failure}"[:1000])
