"""The corpora in the artifact store: published by digest, named, read, added to and taken from."""

from pathlib import Path

import polars as pl

from components.shared import messages
from components.shared.golden_labels import correct_folder
from shield.artifacts import ArtifactStore
from shield.artifacts.content import fetch_verified, put_file
from shield.errors import NotFound
from shield.labels import ModelType
from shield.run_files import CORPUS, AddedMessages, Corpus, CorpusSet


def current_key(model_type: ModelType) -> str:
    """Return the key of the document that names the present corpus of a model type."""
    return f"corpora/{model_type}/current.json"


def current_corpus(store: ArtifactStore, model_type: ModelType) -> Corpus:
    """Return the present corpus of a model type.

    Raises:
        NotFound: None was published yet.
    """
    key = current_key(model_type)
    return Corpus.parse(store.get(key), key)


def name_current(store: ArtifactStore, corpus: Corpus) -> None:
    """Make `corpus` the present one of its model type."""
    store.put(current_key(corpus.model_type), corpus.as_json(), overwrite=True)


def publish(store: ArtifactStore, folder: Path) -> Corpus:
    """Store every set of a corpus directory under its digest, then name the corpus as the present.

    A corpus that users have added to or taken from is not taken back: publishing the base again
    keeps what they added, what they removed, and the golden labels that reviewers corrected; these
    are written into the directory, too.
    """
    before = _present(store, Corpus.read(folder / CORPUS).model_type)
    if before.relabelled:
        correct_folder(folder, before.relabelled)
    corpus = Corpus.read(folder / CORPUS)
    for name, entry in corpus.sets.items():
        entry.key = put_file(
            store, f"corpora/{corpus.model_type}/{name}", folder / f"{name}.parquet", ".parquet"
        ).key
    corpus.added, corpus.removed = before.added, before.removed
    name_current(store, corpus)
    return corpus


def _present(store: ArtifactStore, model_type: ModelType) -> Corpus:
    try:
        return current_corpus(store, model_type)
    except NotFound:
        return Corpus(model_type=model_type)


def fetch_set(store: ArtifactStore, entry: CorpusSet | AddedMessages, cache: Path) -> Path:
    """Return a local copy of one set of a published corpus, its digest checked."""
    cache.mkdir(parents=True, exist_ok=True)
    digest = entry.digest.removeprefix("sha256:")
    return fetch_verified(store, str(entry.key), cache / f"{digest}.parquet", digest)


def read_training(store: ArtifactStore, corpus: Corpus, cache: Path) -> pl.DataFrame:
    """Return what a corpus teaches: its base, what was added, without what was removed.

    Sets that judge are left as they are: a figure must not change because something was removed.
    """
    entries: list[CorpusSet | AddedMessages] = list(corpus.added)
    if "train" in corpus.sets:
        entries.insert(0, corpus.sets["train"])
    tables = [messages.read(fetch_set(store, entry, cache)) for entry in entries]
    table = pl.concat([messages.empty(), *tables])
    for part in corpus.removed:
        table = table.filter(~part_of(part))
    return table.unique("text", keep="first", maintain_order=True)


def part_of(part: str) -> pl.Expr:
    """Return which messages belong to `SOURCE` or `SOURCE/LANGUAGE`."""
    source, _, language = part.partition("/")
    belongs = pl.col("source") == source
    return belongs & (pl.col("language") == language) if language else belongs
