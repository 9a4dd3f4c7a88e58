"""Labels of the golden set that reviewers have corrected: the next golden set, beside the old one.

A golden set is never changed (docs/adr/0005): the corrected one has another digest, and figures are
compared only under the same digest. The corpus keeps the corrections, so that a base that is cut
anew gets them, too.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl

from components.shared import messages
from shield.artifacts import ArtifactStore
from shield.artifacts.content import fetch_verified, put_file
from shield.labels import LABELS, ModelType
from shield.run_files import CORPUS, Corpus, CorpusSet
from shield.wire import ReviewedLabel

GOLDEN = "golden"


def corrected(
    store: ArtifactStore, corpus: Corpus, reviewed: Sequence[ReviewedLabel]
) -> tuple[Corpus, list[str]]:
    """Return the corpus with the labels that reviewers found, and the ids of those that changed.

    Where one changes, a new golden set is stored under its digest; the corpus given is left alone,
    and nothing is named the present corpus.
    """
    entry = corpus.sets.get(GOLDEN)
    labels = {each.id: each.label for each in reviewed}
    if entry is None or entry.key is None or not labels:
        return corpus, []
    with tempfile.TemporaryDirectory(prefix="golden-") as folder:
        digest = entry.digest.removeprefix("sha256:")
        before = messages.read(
            fetch_verified(store, entry.key, Path(folder) / "before.parquet", digest)
        )
        after = _with(before, labels, corpus.model_type)
        changed = before.filter(before["label"] != after["label"])["id"].to_list()
        if not changed:
            return corpus, []
        path = Path(folder) / "golden.parquet"
        fresh = _entry(after, messages.write(after, path))
        fresh.key = put_file(store, f"corpora/{corpus.model_type}/{GOLDEN}", path, ".parquet").key
    kept = {**corpus.relabelled, **{name: labels[name] for name in changed}}
    sets = {**corpus.sets, GOLDEN: fresh}
    return corpus.model_copy(update={"sets": sets, "relabelled": kept}), changed


def correct_folder(folder: Path, relabelled: dict[str, str]) -> None:
    """Give the golden set of a corpus directory the labels that reviewers found before."""
    corpus = Corpus.read(folder / CORPUS)
    path = folder / f"{GOLDEN}.parquet"
    after = _with(messages.read(path), relabelled, corpus.model_type)
    corpus.sets[GOLDEN] = _entry(after, messages.write(after, path))
    corpus.relabelled = relabelled
    corpus.write(folder / CORPUS)


def _with(table: pl.DataFrame, labels: dict[str, str], model_type: ModelType) -> pl.DataFrame:
    numbers = {name: LABELS[model_type].index(label) for name, label in labels.items()}
    label = pl.col("id").replace_strict(numbers, default=pl.col("label"), return_dtype=pl.Int8)
    return table.with_columns(label=label)


def _entry(table: pl.DataFrame, digest: str) -> CorpusSet:
    return CorpusSet(digest=digest, messages=table.height, scams=int(table["label"].sum()))
