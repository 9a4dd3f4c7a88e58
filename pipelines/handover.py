"""A challenger on its way from where it was trained to where it is signed, in the artifact store.

Training code and messages are beside each other for hours; the signing key is never there. So the
run leaves what its last steps need under its id, and `pipelines.register` takes it up elsewhere.
"""

from pathlib import Path
from typing import NamedTuple

from components.shared.runs import run_key
from pipelines.local import LocalRun
from shield.artifacts import ArtifactStore
from shield.artifacts.content import digest_of
from shield.errors import ArtifactCorrupt, NotFound
from shield.run_files import HandedOver

_FILES = {
    "evaluations": "evaluate",
    "report": "evaluate",
    "verdict": "gate",
    "inputs": "collect",
}
"""File -> the step that has written it."""


class Challenger(NamedTuple):
    """What `register` takes, as local files."""

    model: Path
    evaluations: Path
    report: Path
    verdict: Path
    inputs: Path


def waits(store: ArtifactStore, run_id: str) -> bool:
    """Tell whether a run has left a challenger."""
    return store.exists(run_key(run_id, "challenger"))


def leave(store: ArtifactStore, run_id: str, done: LocalRun) -> None:
    """Leave what a run has trained and judged. The list of files goes last: with it all is there.

    Args:
        store: Where to.
        run_id: Of the run.
        done: What its steps have written.
    """
    files = {name: done.outputs[step] / name for name, step in _FILES.items()}
    model = done.outputs["train"] / "model"
    files |= {f"model/{file.name}": file for file in sorted(model.iterdir()) if file.is_file()}
    for name, file in files.items():
        store.put(_key(run_id, name), file, overwrite=True)
    listed = HandedOver(files={name: digest_of(file) for name, file in files.items()})
    store.put(run_key(run_id, "challenger"), listed.as_json(), overwrite=True)


def take(store: ArtifactStore, run_id: str, folder: Path) -> Challenger | None:
    """Fetch what a run has left into `folder`; `None` when it has left nothing.

    Raises:
        ArtifactCorrupt: A file is not the one that was left.
    """
    key = run_key(run_id, "challenger")
    try:
        listed = HandedOver.parse(store.get(key), key)
    except NotFound:
        return None
    (folder / "model").mkdir(parents=True, exist_ok=True)
    for name, digest in listed.files.items():
        store.fetch(_key(run_id, name), folder / name)
        if digest_of(folder / name) != digest:
            raise ArtifactCorrupt(
                f"{_key(run_id, name)} is not what the run {run_id} has left. Run it again."
            )
    return Challenger(folder / "model", *(folder / name for name in _FILES))


def clear(store: ArtifactStore, run_id: str) -> None:
    """Remove what a run has left."""
    store.delete(run_key(run_id, "challenger"))
    for key in list(store.list(_key(run_id, ""))):
        store.delete(key)


def _key(run_id: str, name: str) -> str:
    return run_key(run_id, "challenger").removesuffix(".json") + "/" + name
