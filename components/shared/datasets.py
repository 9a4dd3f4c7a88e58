"""The datasets of runs: they lie in the artifact store for as long as the run lasts.

A dataset holds people's messages in the clear. Were it an artifact of the engine, it would stay in
the engine's own store for ever, where no erasure reaches it. So the artifact that steps hand to
each other names the dataset alone: counts, ids, digests. The files lie under the run's id, where
the end of the run, an erasure and the API's caretaker remove them.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from shield.artifacts import ArtifactStore
from shield.artifacts.content import fetch_verified
from shield.errors import NotFound
from shield.run_files import DATASET, DatasetFacts, dataset_folder

_STAY = {DATASET, "README.md"}
"""What says nothing of any message."""


def leave(store: ArtifactStore, run_id: str, dataset: Path) -> None:
    """Move the files of a dataset that was just built into the store."""
    for file in sorted(dataset.iterdir()):
        if file.name not in _STAY:
            store.put(f"{dataset_folder(run_id)}{file.name}", file, overwrite=True)
            file.unlink()


@contextmanager
def at_hand(store: ArtifactStore, dataset: Path) -> Iterator[Path]:
    """Yield a directory with all files of a dataset, wherever they lie; it goes with the block.

    Raises:
        NotFound: They are gone: the run has ended, or a person in it was erased meanwhile.
        ArtifactCorrupt: A set is not what the dataset says.
    """
    facts = DatasetFacts.read(dataset / DATASET)
    here = any((dataset / f"{name}.parquet").exists() for name in facts.digests)
    if here or facts.run_id is None:
        yield dataset  # of a first training, from public corpora
        return
    prefix = dataset_folder(facts.run_id)
    with tempfile.TemporaryDirectory(prefix="dataset-") as folder:
        for key in list(store.list(prefix)):
            target = Path(folder) / key.removeprefix(prefix)
            digest = facts.digests.get(target.stem) if target.suffix == ".parquet" else None
            if digest is None:
                store.fetch(key, target)
            else:
                fetch_verified(store, key, target, digest.removeprefix("sha256:"))
        if not any(Path(folder).iterdir()):
            raise NotFound(
                f"The dataset of the run {facts.run_id} is gone: the run has ended, or somebody "
                "whose messages were in it was erased. Start the run again."
            )
        for name in _STAY:
            if (dataset / name).exists():
                shutil.copyfile(dataset / name, Path(folder) / name)
        yield Path(folder)


def forget(store: ArtifactStore, run_id: str) -> None:
    """Remove the files of a run's dataset; ids and digests stay with the run."""
    for key in list(store.list(dataset_folder(run_id))):
        store.delete(key)
