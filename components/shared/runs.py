"""What a run keeps in the artifact store under its id, and how it is named."""

import json
from typing import Any

from shield.artifacts import ArtifactStore


def run_name(run_id: str, job_id: str) -> str:
    """Return the id of the run: the one that was asked for, or else the engine's own."""
    return run_id or job_id


def run_key(run_id: str, name: str) -> str:
    """Return the key under which a run keeps `name` in the artifact store."""
    return f"runs/{run_id.replace(':', '_')}/{name}.json"


def write_outcome(
    store: ArtifactStore,
    run_id: str,
    outcome: str,
    message: str,
    *,
    version: str | None = None,
    report_uri: str | None = None,
) -> None:
    """Keep what a step found, for the end of the run."""
    document = {
        "outcome": outcome,
        "message": message[:2000],
        "version": version,
        "reportUri": report_uri,
    }
    store.put(run_key(run_id, "outcome"), json.dumps(document).encode(), overwrite=True)


def read_outcome(store: ArtifactStore, run_id: str) -> dict[str, Any]:
    """Return what the steps of a run found. Raises `NotFound` before any has."""
    found: dict[str, Any] = json.loads(store.get(run_key(run_id, "outcome")))
    return found
