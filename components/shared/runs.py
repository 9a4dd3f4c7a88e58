"""What a run keeps in the artifact store under its id, and how it is named."""

from shield.artifacts import ArtifactStore
from shield.run_files import Outcome


def run_name(run_id: str, job_id: str) -> str:
    """Return the id of the run: the one that was asked for, or else the engine's own."""
    return run_id or job_id


def run_key(run_id: str, name: str) -> str:
    """Return the key under which a run keeps `name` in the artifact store."""
    return f"runs/{run_id.replace(':', '_')}/{name}.json"


def write_outcome(store: ArtifactStore, run_id: str, outcome: Outcome) -> None:
    """Keep how the run ends, for `finish_run`; the latest step that knows wins."""
    store.put(run_key(run_id, "outcome"), outcome.as_json(), overwrite=True)


def read_outcome(store: ArtifactStore, run_id: str) -> Outcome:
    """Return how the run ends.

    Raises:
        NotFound: No step has said it yet.
        Invalid: What is kept there is no outcome.
    """
    key = run_key(run_id, "outcome")
    return Outcome.parse(store.get(key), key)
