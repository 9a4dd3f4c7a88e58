"""Remove datasets of training runs, which contain messages, after the run and on erasure."""

from collections.abc import Iterable, Sequence

from sqlalchemy import select

from api.kit.context import Context
from api.tables import Batch
from shield.artifacts import ArtifactStore
from shield.run_files import dataset_folder


def runs_at_work(ctx: Context, model_types: Iterable[str] | None = None) -> list[str]:
    """Return the runs with an active lease, which may have a dataset."""
    query = select(Batch.run_id).where(Batch.status == "leased")
    if model_types is not None:
        query = query.where(Batch.model_type.in_(sorted(model_types)))
    return sorted(set(ctx.session.scalars(query)))


def forget_later(ctx: Context, runs: Sequence[str]) -> None:
    """Remove the datasets of `runs` after the commit. The next step of these runs then fails."""
    store = ctx.services.artifacts
    if runs:
        ctx.after_commit.append(lambda: _forget(store, runs))


def sweep(ctx: Context) -> int:
    """Remove datasets of runs without an active lease; return the number of files.

    A run removes its dataset when it ends; this covers runs that were killed.
    """
    store = ctx.services.artifacts
    kept = tuple(dataset_folder(run) for run in runs_at_work(ctx))
    left = [
        key
        for key in store.list("runs/")
        if key.split("/")[2:3] == ["dataset"] and not key.startswith(kept)
    ]
    for key in left:
        store.delete(key)
    return len(left)


def _forget(store: ArtifactStore, runs: Sequence[str]) -> None:
    for run in runs:
        for key in list(store.list(dataset_folder(run))):
            store.delete(key)
