"""Read sealed batches of corrections, each file checked by its digest.

Ten million corrections are some gigabytes of text. The text stays on disk, mapped into memory, and
the table holds views of it; names that repeat are held once.
"""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import polars as pl
import pyarrow as pa
import pyarrow.ipc

from components.shared import messages
from shield.artifacts import ArtifactStore
from shield.artifacts.content import fetch_verified
from shield.errors import Invalid
from shield.labels import LABELS, FeedbackType, ModelType
from shield.run_files import BatchReference

COLUMNS = ("id", "text", "label", "reporter", "campaign", "trust", "scanned_at", "approved_at")


def read_batches(
    store: ArtifactStore, references: Sequence[BatchReference], model_type: ModelType, cache: Path
) -> pl.DataFrame:
    """Return the rows of all batches with a column `batch`, each file checked by its digest.

    Raises:
        ArtifactCorrupt: A snapshot is not what its digest says.
        Invalid: A snapshot has a wrong schema or unknown labels.
    """
    frames = [_read_batch(store, each, model_type, cache) for each in references]
    return pl.concat(frames, how="diagonal") if frames else _empty()


def corrections_in(reference: BatchReference, cache: Path) -> int:
    """Return how many rows of a batch that was read are corrections, confirmations left out."""
    digest = reference.digest.removeprefix("sha256:")
    rows = pl.scan_parquet(cache / f"{digest}.parquet")
    if "feedback_type" in rows.collect_schema().names():
        confirmed = pl.col("feedback_type") == FeedbackType.CONFIRMED.value
        rows = rows.filter(~confirmed.fill_null(value=False))
    return int(rows.select(pl.len()).collect().item())


def _read_batch(
    store: ArtifactStore, reference: BatchReference, model_type: ModelType, cache: Path
) -> pl.DataFrame:
    cache.mkdir(parents=True, exist_ok=True)
    digest = reference.digest.removeprefix("sha256:")
    path = fetch_verified(store, reference.uri, cache / f"{digest}.parquet", digest)
    table = _mapped(path)
    missing = [name for name in COLUMNS if name not in table.columns]
    if missing:
        raise Invalid(
            f"The batch {reference.id} has no column {', '.join(missing)}. It was sealed by "
            "another release; release it and seal it again."
        )
    negative, positive = LABELS[model_type]
    unknown = table.filter(~pl.col("label").is_in([negative, positive]))
    if unknown.height:
        raise Invalid(
            f"{unknown.height} rows of the batch {reference.id} have a label that is none of "
            f"{negative}, {positive}: {sorted(set(unknown['label'].to_list()))[:3]}. Refusing to "
            "guess; look at them with `shieldctl feedback list`."
        )
    return table.select(
        pl.col("id").cast(pl.String),
        pl.col("text").cast(pl.String),
        (pl.col("label") == positive).cast(pl.Int8).alias("label"),
        pl.lit(messages.OF_USERS, pl.Categorical).alias("source"),
        pl.col("reporter").cast(pl.String).fill_null("").cast(pl.Categorical),
        pl.col("trust").cast(pl.Float32).fill_null(0.0),
        pl.col("scanned_at").cast(pl.Datetime("us", "UTC")),
        pl.col("approved_at").cast(pl.Datetime("us", "UTC")),
        pl.lit(reference.id, pl.Categorical).alias("batch"),
    )


def _mapped(path: Path) -> pl.DataFrame:
    """Return a Parquet file as a table whose bytes stay on disk, decompressed and mapped."""
    copy = path.with_name(f"{path.stem}-{uuid4().hex}.arrow")
    try:
        pl.scan_parquet(path).sink_ipc(copy, compression="uncompressed")
        # By pyarrow: polars itself would read the file into memory.
        return pl.DataFrame(pa.ipc.open_file(pa.memory_map(str(copy))).read_all())
    finally:
        copy.unlink(missing_ok=True)  # the mapping holds on to it for as long as it is needed


def _empty() -> pl.DataFrame:
    return pl.DataFrame(
        schema={
            **{name: messages.SCHEMA[name] for name in ("id", "text", "label")},
            "source": pl.Categorical(),
            "reporter": pl.Categorical(),
            "trust": pl.Float32(),
            "scanned_at": pl.Datetime("us", "UTC"),
            "approved_at": pl.Datetime("us", "UTC"),
            "batch": pl.Categorical(),
        }
    )
