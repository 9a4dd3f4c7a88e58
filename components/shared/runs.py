"""What a run keeps in the artifact store under its id, and how it is named."""

from typing import Any

from shield.artifacts import ArtifactStore
from shield.run_files import Outcome, run_folder


def run_name(run_id: str, job_id: str) -> str:
    """Return the id of the run: the one that was asked for, or else the engine's own."""
    return run_id or job_id


def run_key(run_id: str, name: str) -> str:
    """Return the key under which a run keeps `name` in the artifact store."""
    return f"{run_folder(run_id)}{name}.json"


def begin_outcome(store: ArtifactStore, run_id: str, job_id: str) -> None:
    """Begin to keep how a run goes; what an earlier try has written no longer counts."""
    _write(store, run_id, Outcome(job_id=job_id, ended=False))


def amend_outcome(store: ArtifactStore, run_id: str, **changes: Any) -> None:
    """Change what is kept of how a run goes.

    Raises:
        NotFound: It was not begun.
        Invalid: What is kept there is no outcome.
    """
    _write(store, run_id, read_outcome(store, run_id).model_copy(update=changes))


def read_outcome(store: ArtifactStore, run_id: str) -> Outcome:
    """Return what the steps of a run have found.

    Raises:
        NotFound: No step has begun it.
        Invalid: What is kept there is no outcome.
    """
    key = run_key(run_id, "outcome")
    return Outcome.parse(store.get(key), key)


def _write(store: ArtifactStore, run_id: str, outcome: Outcome) -> None:
    store.put(run_key(run_id, "outcome"), outcome.as_json(), overwrite=True)
