"""Bring one's own labelled messages into the corpus of a model type.

    python -m components.prepare_corpus.add --model-type sms --file mine.csv

Reads files of all kinds that people keep messages in (`intake`), directories that Hugging Face's
`datasets` has saved, and folders that `shieldctl corpus export` has sealed. What was found about a
file is told: encoding, columns, what its labels stand for, how its dates are written. Every row is
taken, known already, or listed with its line and the reason; none is dropped silently.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from components.prepare_corpus.holdings import MESSAGES
from components.prepare_corpus.intake.rows import Reading, read_rows
from components.prepare_corpus.intake.sources import name_of
from components.prepare_corpus.intake.table import LINE, BadRow, HowToRead
from components.shared import messages
from components.shared.corpus_store import current_corpus, name_current, read_training
from components.shared.environment import open_artifacts, open_trust
from shield.artifacts import ArtifactStore
from shield.artifacts.content import put_file
from shield.errors import Invalid, NotFound, ShieldError
from shield.labels import LABELS, ModelType
from shield.packages import Trust, bundle
from shield.packages.manifest import MANIFEST
from shield.run_files import AddedMessages, Corpus

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict


@dataclass(frozen=True)
class Added:
    """The result of adding a file or a dataset: its rows are taken, known or bad."""

    taken: int
    scams: int
    """Of those taken."""
    known: int
    """Rows whose text the file or an earlier one has brought before, with the same label."""
    bad: list[BadRow]
    digest: str
    """Of the table that was added; empty where nothing was."""
    found: dict[str, str]
    """How the source was read."""
    sample: list[tuple[str, str]]
    """The first messages taken: label and text."""
    corpus_messages: int
    corpus_scams: int
    """What teaches afterwards."""

    @property
    def rows(self) -> int:
        """Return how many rows the source has."""
        return self.taken + self.known + len(self.bad)


def add(
    store: ArtifactStore,
    model_type: ModelType,
    source: Path | Dataset | DatasetDict,
    trust: Trust | None = None,
    how: HowToRead | None = None,
    *,
    dry_run: bool = False,
) -> Added:
    """Publish the usable rows of a source with the corpus of `model_type`.

    Args:
        store: Where the corpus lies.
        model_type: Whose corpus.
        source: As in `read_rows`, or a folder that `export` has sealed.
        trust: Whose seal counts; only a sealed folder needs it.
        how: What is known about the source; the rest is found.
        dry_run: Say what would be added, and add nothing.

    Raises:
        Invalid: Nothing in it can be used, or there is no corpus to add to yet.
        PackageUnsigned, PackageUntrusted, PackageCorrupt: A folder whose seal does not hold.
    """
    if isinstance(source, Path) and (source / MANIFEST).exists():
        _check_seal(source, model_type, trust or open_trust())
        reading = read_rows(source / MESSAGES, model_type, source.name, how)
    else:
        reading = read_rows(source, model_type, how=how)
    if reading.rows.height == 0:
        reasons = "; ".join(f"line {each.line}: {each.why}" for each in reading.bad[:3])
        raise Invalid(
            f"{name_of(source)} has no usable row ({reasons or 'it is empty'}). Nothing was added."
        )
    try:
        corpus = current_corpus(store, model_type)
    except NotFound as error:
        raise Invalid(
            f"There is no corpus of {model_type} to add to yet. Train its first model before: "
            f"`shieldctl model train {model_type}`."
        ) from error
    with tempfile.TemporaryDirectory(prefix="corpus-") as folder:
        taught = read_training(store, corpus, Path(folder))
        fresh, known, contradicting = _compared(reading, taught, model_type)
        digest = ""
        if fresh.height and not dry_run:
            path = Path(folder) / "added.parquet"
            digest = messages.write(fresh, path)
            stored = put_file(store, f"corpora/{model_type}/added", path, ".parquet")
            _name(store, corpus, stored.key, digest, fresh, source)
    labels = LABELS[model_type]
    return Added(
        taken=fresh.height,
        scams=int(fresh["label"].sum()),
        known=known,
        bad=sorted(reading.bad + contradicting, key=lambda each: each.line),
        digest=digest,
        found=reading.found,
        sample=[(labels[row[0]], row[1]) for row in fresh.select("label", "text").head(5).rows()],
        corpus_messages=taught.height + fresh.height,
        corpus_scams=int(taught["label"].sum()) + int(fresh["label"].sum()),
    )


def _compared(
    reading: Reading, taught: pl.DataFrame, model_type: ModelType
) -> tuple[pl.DataFrame, int, list[BadRow]]:
    """Return (messages that are new, how many rows are known, rows that the corpus contradicts)."""
    other = taught.select("text", taught="label").unique("text", keep="first")
    lines = pl.Series(LINE, reading.lines, pl.Int64)
    rows = reading.rows.with_columns(lines).join(
        other, on="text", how="left", maintain_order="left"
    )
    torn = rows.filter(pl.col("taught").is_not_null() & (pl.col("taught") != pl.col("label")))
    labels = LABELS[model_type]
    bad = [
        BadRow(line, f"the corpus teaches the same text as {labels[label]} already")
        for line, label in torn.select(LINE, "taught").iter_rows()
    ]
    fresh = rows.filter(pl.col("taught").is_null()).unique(
        "text", keep="first", maintain_order=True
    )
    known = rows.height - torn.height - fresh.height
    return messages.conform(fresh), known, bad


def _name(
    store: ArtifactStore,
    corpus: Corpus,
    key: str,
    digest: str,
    fresh: pl.DataFrame,
    source: Path | Dataset | DatasetDict,
) -> None:
    if all(each.digest != digest for each in corpus.added):
        name = source.name if isinstance(source, Path) else name_of(source)
        corpus.added.append(AddedMessages(key=key, digest=digest, messages=fresh.height, file=name))
    # What is brought again is wanted again.
    back = set(fresh["source"])
    corpus.removed = [each for each in corpus.removed if each not in back]
    name_current(store, corpus)


def _check_seal(folder: Path, model_type: ModelType, trust: Trust) -> None:
    about = bundle.opened(folder, trust)
    if about.get("modelType") != model_type.value or MESSAGES not in about["files"]:
        raise Invalid(
            f"{folder} holds {about.get('kind', 'something else')} of "
            f"{about.get('modelType', 'no model type')}, not a corpus of {model_type}. Name the "
            "folder of a corpus of this type."
        )


def main(arguments: list[str] | None = None) -> int:
    """Add a file from the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m components.prepare_corpus.add", description=__doc__
    )
    parser.add_argument("--model-type", required=True, choices=[kind.value for kind in ModelType])
    parser.add_argument("--file", type=Path, required=True, help="or a directory of `save_to_disk`")
    parser.add_argument("--text", help="Column of the messages.")
    parser.add_argument("--label", help="Column of the labels, or one label for all messages.")
    parser.add_argument("--encoding")
    parser.add_argument("--delimiter")
    parser.add_argument("--date-format")
    options = parser.parse_args(arguments)
    how = HowToRead(
        text=options.text,
        label=options.label,
        encoding=options.encoding,
        delimiter=options.delimiter,
        date_format=options.date_format,
    )
    try:
        done = add(open_artifacts(), ModelType(options.model_type), options.file, how=how)
    except ShieldError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    for name, told in done.found.items():
        print(f"{name}: {told}", file=sys.stderr)  # noqa: T201
    for each in done.bad:
        print(f"line {each.line}: {each.why}", file=sys.stderr)  # noqa: T201
    print(f"{done.taken} messages added, {done.known} known already, {len(done.bad)} bad rows.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
