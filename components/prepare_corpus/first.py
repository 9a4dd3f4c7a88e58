"""The dataset of a first model: no corrections, no champion."""

from pathlib import Path

from components.shared import messages
from components.shared.dataset_readme import write_readme
from shield.run_files import CORPUS, DATASET, Corpus, DatasetFacts, SetCounts

_SETS = ("train", "valid", "golden", "time_forward", "frozen_ham", "judge")


def first_dataset(folder: Path, dataset: Path) -> DatasetFacts:
    """Make the dataset of a first model from a corpus directory: no corrections, no champion."""
    corpus = Corpus.read(folder / CORPUS)
    sets = {
        # A corpus that an earlier release has cut lacks the newer sets.
        name: messages.read(folder / f"{name}.parquet")
        for name in _SETS
        if name in corpus.sets
    }
    digests = {
        name: messages.write(table, dataset / f"{name}.parquet") for name, table in sets.items()
    }
    facts = DatasetFacts(
        model_type=corpus.model_type,
        fresh_feedback=0,
        golden_digest=corpus.sets["golden"].digest,
        corpus=corpus.teaching(),
        replayed=sets["train"].height,
        counts={
            name: SetCounts(messages=table.height, scams=int(table["label"].sum()))
            for name, table in sets.items()
        },
        digests=digests,
    )
    facts.write(dataset / DATASET)
    write_readme(dataset, facts)
    return facts
