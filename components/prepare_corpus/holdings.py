"""What an installation's corpora hold: counted, shown, taken out, handed on."""

import tempfile
from pathlib import Path
from typing import Any

import polars as pl
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from components.prepare_corpus.book import SOURCE as BOOK
from components.shared import messages
from components.shared.corpus_store import (
    current_corpus,
    name_current,
    part_of,
    read_training,
)
from shield.artifacts import ArtifactStore
from shield.errors import Invalid, NotFound
from shield.labels import ModelType
from shield.packages import bundle
from shield.run_files import Corpus

MESSAGES = "messages.parquet"
CARD = "card.md"
_WHAT = """\
# Corpus {model_type}

{count} labelled messages, {scams} of them scams, that teach a {model_type} model; exported from an
installation of antispam-shield. The sets that judge (golden, validation) are not in it.

| part | messages | scams |
|---|---|---|
{rows}

Parts named `book` are written for antispam-shield (CC BY 4.0), not collected: they show how scams
and honest messages are worded, and say nothing of how often each comes, nor of what nobody thought
of writing. `uci-sms` is the SMS Spam Collection (Almeida and Hidalgo, CC BY 4.0), `spam-assassin`
the SpamAssassin public corpus (public domain). Parts named `added` are of whoever added them: ask
before you hand them on.
"""


def parts(store: ArtifactStore, model_type: ModelType) -> list[dict[str, Any]]:
    """Return what teaches a model type: part, messages, scams, and whether it was removed.

    Raises:
        NotFound: No corpus was published yet.
    """
    corpus = _published(store, model_type)
    table = _read(store, _whole(corpus))
    counted = (
        _with_part(table)
        .group_by("part")
        .agg(messages=pl.len(), scams=pl.col("label").cast(pl.Int64).sum())
        .sort("part")
    )
    return [
        {**row, "removed": any(_within(row["part"], each) for each in corpus.removed)}
        for row in counted.iter_rows(named=True)
    ]


def taught(store: ArtifactStore, model_type: ModelType) -> pl.DataFrame:
    """Return the messages that teach a model type now, with the column `part`."""
    return _with_part(_read(store, _published(store, model_type)))


def remove(store: ArtifactStore, model_type: ModelType, part: str, *, undo: bool = False) -> int:
    """Take a part out of what teaches from the next retraining on; return how many messages.

    Nothing is deleted, and what judges stays: `undo` brings the part back. The linear half is then
    fitted anew; a transformer that goes on from its champion keeps what that has learned.

    Raises:
        NotFound: No such part.
        Invalid: A class would be left without messages.
    """
    corpus = _published(store, model_type)
    table = _read(store, _whole(corpus))
    count = table.filter(part_of(part)).height
    if count == 0:
        known = ", ".join(_with_part(table)["part"].unique().sort())
        raise NotFound(f"The corpus of {model_type} has no part {part!r}; it has {known}.")
    removed = [each for each in corpus.removed if not _within(each, part)]
    if undo:
        known_parts = _with_part(table)["part"].unique().sort().to_list()
        corpus.removed = _without(removed, part, known_parts)
    else:
        corpus.removed = [*removed, part]
    if _read(store, corpus)["label"].n_unique() < 2:
        raise Invalid(
            f"Without {part} the corpus of {model_type} has only one class left, and nothing could "
            "be trained. Add messages before: `shieldctl corpus add`."
        )
    name_current(store, corpus)
    return count


def export(
    store: ArtifactStore, model_type: ModelType, folder: Path, private_key: Ed25519PrivateKey
) -> dict[str, Any]:
    """Write what teaches a model type into a new folder, with a card, sealed by the key.

    Raises:
        Invalid: The folder has files in it already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Invalid(f"{folder} is not empty. Name a new folder.")
    table = taught(store, model_type)
    folder.mkdir(parents=True, exist_ok=True)
    digest = messages.write(table, folder / MESSAGES)
    rows = [
        f"| {row['part']} | {row['messages']} | {row['scams']} |"
        for row in parts(store, model_type)
        if not row["removed"]
    ]
    scams = int(table["label"].sum())
    (folder / CARD).write_text(
        _WHAT.format(model_type=model_type, count=table.height, scams=scams, rows="\n".join(rows))
    )
    about = {"kind": "corpus", "modelType": model_type.value}
    about |= {"messages": str(table.height), "scams": str(scams)}
    bundle.seal(folder, private_key, about)
    return {"folder": str(folder), "messages": table.height, "scams": scams, "digest": digest}


def _published(store: ArtifactStore, model_type: ModelType) -> Corpus:
    try:
        return current_corpus(store, model_type)
    except NotFound as error:
        raise NotFound(
            f"There is no corpus of {model_type} yet. Train its first model: "
            f"`shieldctl model train {model_type}`."
        ) from error


def _whole(corpus: Corpus) -> Corpus:
    return corpus.model_copy(update={"removed": []})


def _read(store: ArtifactStore, corpus: Corpus) -> pl.DataFrame:
    with tempfile.TemporaryDirectory(prefix="corpus-") as cache:
        return read_training(store, corpus, Path(cache))


def _with_part(table: pl.DataFrame) -> pl.DataFrame:
    spoken = (pl.col("source") == BOOK) & (pl.col("language") != "")
    named = pl.when(spoken).then(pl.format("{}/{}", "source", "language")).otherwise("source")
    return table.with_columns(part=named)


def _without(removed: list[str], part: str, known: list[str]) -> list[str]:
    """Return what stays removed when a part comes back: of a whole that it is in, the others."""
    left: list[str] = []
    for each in removed:
        if not _within(part, each):
            left.append(each)
        else:
            left += [one for one in known if _within(one, each) and not _within(one, part)]
    return left


def _within(part: str, removed: str) -> bool:
    return part == removed or part.startswith(f"{removed}/")
