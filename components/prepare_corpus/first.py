"""The dataset of a first model: no corrections, no champion."""

import json
from pathlib import Path
from typing import Any

from components.shared import messages


def first_dataset(corpus: Path, dataset: Path) -> dict[str, Any]:
    """Make the dataset of a first model from a corpus directory: no corrections, no champion."""
    document: dict[str, Any] = json.loads((corpus / "corpus.json").read_bytes())
    sets = {
        name: messages.read(corpus / f"{name}.parquet")
        for name in ("train", "valid", "golden", "time_forward")
    }
    digests = {
        name: messages.write(table, dataset / f"{name}.parquet") for name, table in sets.items()
    }
    facts = {
        "model_type": document["model_type"],
        "fresh_feedback": 0,
        "golden_digest": document["sets"]["golden"]["digest"],
        "batches": [],
        "taught": 0,
        "replayed": sets["train"].height,
        "set_aside": {},
        "counts": {
            name: {"messages": table.height, "scams": int(table["label"].sum())}
            for name, table in sets.items()
        },
        "digests": digests,
    }
    (dataset / "dataset.json").write_text(json.dumps(facts, indent=1, sort_keys=True))
    return facts
