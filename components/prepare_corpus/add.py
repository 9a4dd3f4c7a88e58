"""Bring one's own labelled messages into the corpus of a model type.

    python -m components.prepare_corpus.add --model-type sms --file mine.csv

Reads CSV, JSONL, Parquet and Arrow files, and directories that Hugging Face's `datasets` has saved,
with the columns `text` and `label`, and if they are there `date`, `tactic` and `language`; and
folders that `shieldctl corpus export` has sealed. Every row that cannot be used is listed with its
line and the reason; none is dropped silently.
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
from components.prepare_corpus.sources import name_of, read_source
from components.shared import messages
from components.shared.corpus_store import current_corpus, name_current
from components.shared.environment import open_artifacts, open_trust
from shield.artifacts import ArtifactStore
from shield.artifacts.content import put_file
from shield.errors import Invalid, NotFound, ShieldError
from shield.labels import LABELS, ModelType
from shield.packages import Trust, bundle
from shield.packages.manifest import MANIFEST
from shield.run_files import AddedMessages

if TYPE_CHECKING:
    from datasets import Dataset, DatasetDict

LONGEST = 20_000
"""Longest message, characters; the API takes no longer ones either."""


@dataclass(frozen=True)
class BadRow:
    """A row that cannot be used."""

    line: int
    """Counted from 1, the header not counted."""
    why: str


@dataclass(frozen=True)
class Added:
    """The result of adding a file or a dataset."""

    taken: int
    known: int
    """Rows whose text the file or an earlier one has brought before."""
    bad: list[BadRow]
    digest: str


def read_rows(
    source: Path | Dataset | DatasetDict, model_type: ModelType, name: str | None = None
) -> tuple[pl.DataFrame, list[BadRow]]:
    """Return (usable rows as messages, bad rows).

    Args:
        source: A file, a directory of `save_to_disk`, or a dataset of `datasets`: all its splits.
        model_type: Whose labels.
        name: What the rows are called; by default after the source.

    Raises:
        Invalid: It cannot be read at all, or has no column `text` or `label`.
    """
    table, name = read_source(source), name or name_of(source)
    missing = [each for each in ("text", "label") if each not in table.columns]
    if missing:
        raise Invalid(
            f"{name} has no column {', '.join(missing)} (but {', '.join(table.columns)}). Name the "
            "columns text and label."
        )
    negative, positive = LABELS[model_type]
    words = {negative: 0, positive: 1, "0": 0, "1": 1}
    text = pl.col("text").cast(pl.String)
    label = pl.col("label").cast(pl.String).str.strip_chars().str.to_lowercase()
    why = (
        pl.when(text.is_null() | (text.str.strip_chars() == ""))
        .then(pl.lit("the text is empty"))
        .when(text.str.len_chars() > LONGEST)
        .then(pl.lit(f"the text is longer than {LONGEST} characters"))
        .when(text.str.contains("\ufffd", literal=True))
        .then(pl.lit("the text is not UTF-8"))
        .when(label.is_null() | ~label.is_in(list(words)))
        .then(pl.lit(f"the label is none of {negative}, {positive}, 0, 1"))
    )
    judged = table.with_columns(why=why, line=pl.int_range(1, pl.len() + 1))
    bad = [
        BadRow(int(line), str(reason))
        for line, reason in judged.filter(pl.col("why").is_not_null())
        .select("line", "why")
        .iter_rows()
    ]
    good = judged.filter(pl.col("why").is_null())
    origin = f"added-{name}"
    at = pl.lit(None)
    if "date" in good.columns:
        at = pl.col("date").cast(pl.String).str.to_datetime(time_zone="UTC", strict=False)
    return (
        messages.conform(
            good.select(
                text.alias("text"),
                label.replace_strict(words, return_dtype=pl.Int8).alias("label"),
                pl.lit(origin).alias("source"),
                at.cast(messages.SCHEMA["scanned_at"]).alias("scanned_at"),
                *(pl.col(each) for each in ("tactic", "language") if each in good.columns),
                id=text.map_elements(
                    lambda each: messages.message_id(origin, each), return_dtype=pl.String
                ),
            )
        ),
        bad,
    )


def add(
    store: ArtifactStore,
    model_type: ModelType,
    source: Path | Dataset | DatasetDict,
    trust: Trust | None = None,
) -> Added:
    """Publish the usable rows of a source with the corpus of `model_type`.

    Args:
        store: Where the corpus lies.
        model_type: Whose corpus.
        source: As in `read_rows`, or a folder that `export` has sealed.
        trust: Whose seal counts; only a sealed folder needs it.

    Raises:
        Invalid: Nothing in it can be used, or there is no corpus to add to yet.
        PackageUnsigned, PackageUntrusted, PackageCorrupt: A folder whose seal does not hold.
    """
    if isinstance(source, Path) and (source / MANIFEST).exists():
        _check_seal(source, model_type, trust or open_trust())
        rows, bad = read_rows(source / MESSAGES, model_type, name=source.name)
    else:
        rows, bad = read_rows(source, model_type)
    distinct = rows.unique("text", keep="first", maintain_order=True)
    if distinct.height == 0:
        reasons = "; ".join(f"line {each.line}: {each.why}" for each in bad[:3])
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
        path = Path(folder) / "added.parquet"
        digest = messages.write(distinct, path)
        stored = put_file(store, f"corpora/{model_type}/added", path, ".parquet")
    if all(each.digest != digest for each in corpus.added):
        corpus.added.append(
            AddedMessages(
                key=stored.key,
                digest=digest,
                messages=distinct.height,
                file=source.name if isinstance(source, Path) else name_of(source),
            )
        )
    # What is brought again is wanted again.
    back = set(distinct["source"])
    corpus.removed = [each for each in corpus.removed if each not in back]
    name_current(store, corpus)
    return Added(distinct.height, rows.height - distinct.height, bad, digest)


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
    options = parser.parse_args(arguments)
    try:
        done = add(open_artifacts(), ModelType(options.model_type), options.file)
    except ShieldError as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
    for each in done.bad:
        print(f"line {each.line}: {each.why}", file=sys.stderr)  # noqa: T201
    print(f"{done.taken} messages added, {done.known} known already, {len(done.bad)} bad rows.")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
