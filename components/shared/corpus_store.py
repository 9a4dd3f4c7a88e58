"""Publish a corpus directory in the artifact store, by digest, and name it as the present one."""

import json
from pathlib import Path
from typing import Any

from shield.artifacts import ArtifactStore
from shield.artifacts.content import fetch_verified, put_file
from shield.errors import NotFound
from shield.labels import ModelType


def current_key(model_type: ModelType) -> str:
    """Return the key of the document that names the present corpus of a model type."""
    return f"corpora/{model_type}/current.json"


def publish(store: ArtifactStore, corpus: Path) -> dict[str, Any]:
    """Store every set under its digest, then the document that names them; return the document.

    A corpus that users have added to is not taken back: publishing the base again keeps their files
    named in `added`.
    """
    document: dict[str, Any] = json.loads((corpus / "corpus.json").read_bytes())
    model_type = ModelType(document["model_type"])
    for name, entry in document["sets"].items():
        entry["key"] = put_file(
            store, f"corpora/{model_type}/{name}", corpus / f"{name}.parquet", ".parquet"
        ).key
    try:
        document["added"] = json.loads(store.get(current_key(model_type))).get("added", [])
    except NotFound:
        document["added"] = []
    raw = json.dumps(document, indent=1, sort_keys=True).encode()
    store.put(current_key(model_type), raw, overwrite=True)
    return document


def fetch_set(store: ArtifactStore, entry: dict[str, Any], cache: Path) -> Path:
    """Return a local copy of one set, its digest checked."""
    cache.mkdir(parents=True, exist_ok=True)
    digest = str(entry["digest"]).removeprefix("sha256:")
    return fetch_verified(store, entry["key"], cache / f"{digest}.parquet", digest)
