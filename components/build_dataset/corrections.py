"""Read sealed batches into the table of messages: one row per message, one label, a weight."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from components.build_dataset import messages
from shield.artifacts import ArtifactStore
from shield.artifacts.content import fetch_verified
from shield.errors import Invalid
from shield.labels import LABELS, ModelType

COLUMNS = ("id", "text", "label", "reporter", "campaign", "trust", "scanned_at", "approved_at")
LEAST_WEIGHT = 0.25
"""What the correction of a reporter without any record counts, next to 1 for a fully trusted one. A
reviewer has approved it, so it is never nothing."""


@dataclass(frozen=True)
class Caps:
    """How much one voice may teach."""

    per_reporter: int = 50
    """Most corrections of one reporter, newest kept."""
    per_campaign: int = 20
    """Most different wordings of one campaign."""
    longest_text: int = 20_000
    """Characters; what is longer is cut, as the API would."""


def read_batches(
    store: ArtifactStore, references: Sequence[dict[str, Any]], model_type: ModelType, cache: Path
) -> pl.DataFrame:
    """Return the rows of all batches with a column `batch`, each file checked by its digest.

    Raises:
        ArtifactCorrupt: A snapshot is not what its digest says.
        Invalid: A snapshot has a wrong schema or unknown labels.
    """
    frames = [_read_batch(store, each, model_type, cache) for each in references]
    return pl.concat(frames, how="diagonal") if frames else _empty()


def _read_batch(
    store: ArtifactStore, reference: dict[str, Any], model_type: ModelType, cache: Path
) -> pl.DataFrame:
    cache.mkdir(parents=True, exist_ok=True)
    digest = str(reference["digest"]).removeprefix("sha256:")
    path = fetch_verified(store, reference["uri"], cache / f"{digest}.parquet", digest)
    table = pl.read_parquet(path)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise Invalid(
            f"The batch {reference['id']} has no column {', '.join(missing)}. It was sealed by "
            "another release; release it and seal it again."
        )
    negative, positive = LABELS[model_type]
    unknown = table.filter(~pl.col("label").is_in([negative, positive]))
    if unknown.height:
        raise Invalid(
            f"{unknown.height} rows of the batch {reference['id']} have a label that is none of "
            f"{negative}, {positive}: {sorted(set(unknown['label'].to_list()))[:3]}. Refusing to "
            "guess; look at them with `shieldctl feedback list`."
        )
    return table.select(
        pl.col("id").cast(pl.String),
        pl.col("text").cast(pl.String),
        (pl.col("label") == positive).cast(pl.Int8).alias("label"),
        pl.lit("feedback").alias("source"),
        pl.col("reporter").cast(pl.String).fill_null(""),
        pl.col("campaign").cast(pl.String).fill_null("").alias("campaign"),
        pl.col("trust").cast(pl.Float32).fill_null(0.0),
        pl.col("scanned_at").cast(pl.Datetime("us", "UTC")),
        pl.col("approved_at").cast(pl.Datetime("us", "UTC")),
        pl.lit(str(reference["id"])).alias("batch"),
    )


def _empty() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            **{name: messages.SCHEMA[name] for name in ("id", "text", "label", "source")},
            "reporter": pl.String(),
            "campaign": pl.String(),
            "trust": pl.Float32(),
            "scanned_at": pl.Datetime("us", "UTC"),
            "approved_at": pl.Datetime("us", "UTC"),
            "batch": pl.String(),
        }
    )


def settle(rows: pl.DataFrame, caps: Caps) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return (one row per message, what was set aside with a column `why`).

    The same text may be reported by many. Its label is the one with more trust behind it; where
    both
    sides weigh the same nobody knows, and it is set aside. Caps keep one reporter, or one flood,
    from
    filling the training set.
    """
    rows = rows.with_columns(
        text=pl.col("text").str.slice(0, caps.longest_text),
        weight=(LEAST_WEIGHT + (1 - LEAST_WEIGHT) * pl.col("trust")).cast(pl.Float32),
    )
    blank = rows.filter(pl.col("text").str.strip_chars() == "")
    rows = rows.filter(pl.col("text").str.strip_chars() != "")
    # Each reporter's newest first; the id breaks ties, so that the order of rows does not matter.
    rows = rows.sort(["approved_at", "id"], descending=[True, False], nulls_last=True)
    place = pl.int_range(pl.len()).over("reporter")
    capped = rows.filter((pl.col("reporter") != "") & (place >= caps.per_reporter))
    rows = rows.join(
        capped.select("id", "batch"), on=["id", "batch"], how="anti", maintain_order="left"
    )
    sums = (
        pl.col("weight").filter(pl.col("label") == 1).sum(),
        pl.col("weight").filter(pl.col("label") == 0).sum(),
    )
    votes = (sums[0] - sums[1]).over("text")
    rows = rows.with_columns(votes=votes)
    torn = rows.filter(pl.col("votes").abs() < 1e-6)
    settled = (
        rows.filter(pl.col("votes").abs() >= 1e-6)
        .with_columns(label=(pl.col("votes") > 0).cast(pl.Int8))
        .sort(["approved_at", "id"], nulls_last=True)
        .unique("text", keep="first", maintain_order=True)
    )
    aside = pl.concat(
        [
            blank.select("id", "text", "label", why=pl.lit("empty message")),
            capped.select("id", "text", "label", why=pl.lit("beyond the cap of its reporter")),
            torn.select("id", "text", "label", why=pl.lit("reporters contradict each other")),
        ]
    )
    return settled.drop("votes"), aside
