"""The product's learning steps over an artifact store of their own, without API and rollout.

Trainings are deterministic, so a trained package is kept under the digest of all that made it: a
benchmark that was stopped goes on where it was.
"""

import hashlib
import json
import logging
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import shield.linear
from components.baseline import step as baseline_step
from components.build_dataset.corrections import Caps
from components.build_dataset.step import run as build_dataset
from components.prepare_corpus.reading import read_corpus
from components.prepare_corpus.tactics import campaign_heads
from components.shared import messages
from components.shared.corpus_store import publish
from components.shared.environment import StepSettings
from components.train import step as train_step
from components.train.recipe import Recipe
from shield.artifacts.content import put_file
from shield.artifacts.directory import DirectoryStore
from shield.labels import LABELS, ModelType
from shield.linear import LinearModel
from shield.packages import ModelPackage
from shield.run_files import CORPUS, BatchReference, Corpus, CorpusSet, RunInputs
from shield.text import DEFAULT_NORMALISER

START = datetime(2026, 1, 1, tzinfo=UTC)
"""The simulated time that everything happens after; no clock is read."""

WORK = Path.home() / ".cache/antispam-shield/bench-learning"

log = logging.getLogger(__name__)


def kept(key: dict[str, Any], rooms: Sequence[Path], make: Callable[[], Any]) -> Any:
    """Return what `make` gives, kept on disk under its key and the code that makes it.

    Args:
        key: Everything that the result follows from, beside the code.
        rooms: Files and folders of that code.
        make: Returns something that JSON can hold.
    """
    code = hashlib.sha256()
    for room in rooms:
        for file in sorted(room.rglob("*.py")) if room.is_dir() else [room]:
            if not file.name.startswith("test_"):
                code.update(file.read_bytes())
    name = hashlib.sha256(json.dumps([key, code.hexdigest()], sort_keys=True).encode()).hexdigest()
    place = WORK / "kept" / f"{name[:32]}.json"
    if not place.is_file():
        made = json.dumps(make())
        place.parent.mkdir(parents=True, exist_ok=True)
        fresh = place.with_suffix(".fresh")
        fresh.write_text(made)
        fresh.replace(place)
    return json.loads(place.read_bytes())


@lru_cache(maxsize=1)
def sms_heads() -> pl.DataFrame:
    """Return the SMS corpus, one message per campaign, so that no split can leak."""
    from components.shared.campaigns import campaigns

    table = read_corpus(ModelType.SMS, StepSettings())
    table = table.with_columns(campaign=table["id"].gather(pl.Series(campaigns(table["text"]))))
    mixed = pl.col("label").n_unique().over("campaign") > 1
    return campaign_heads(table.filter(~mixed))


def table(
    texts: Sequence[str], labels: Sequence[int] | NDArray[np.int8], prefix: str
) -> pl.DataFrame:
    """Return texts as a table of messages, each its own campaign."""
    ids = [f"{prefix}-{row}" for row in range(len(texts))]
    return messages.conform(
        pl.DataFrame(
            {
                "id": ids,
                "text": list(texts),
                "label": np.asarray(labels, dtype=np.int8),
                "source": [prefix] * len(texts),
                "campaign": ids,
            }
        )
    )


def both(scams: Sequence[str], hams: Sequence[str], prefix: str) -> pl.DataFrame:
    """Return scams and harmless messages as one table."""
    return table([*scams, *hams], [1] * len(scams) + [0] * len(hams), prefix)


def shuffled(rng: np.random.Generator) -> tuple[list[str], list[str]]:
    """Return the scams and the harmless messages of `sms_heads`, each in an order drawn anew."""
    heads = sms_heads()
    scams: list[str] = heads.filter(pl.col("label") == 1)["text"].to_list()
    hams: list[str] = heads.filter(pl.col("label") == 0)["text"].to_list()
    rng.shuffle(scams)
    rng.shuffle(hams)
    return scams, hams


@dataclass
class Lab:
    """A store with a corpus, and the batches sealed so far."""

    folder: Path
    model_type: ModelType
    base: dict[str, pl.DataFrame]
    """`train`, `valid` and `golden`; `time_forward` if there is one."""
    batches: list[BatchReference] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.store = DirectoryStore(self.folder / "store")
        self.base = {"time_forward": messages.empty(), **self.base}
        corpus = self.folder / "corpus"
        sets = {
            name: CorpusSet(digest=messages.write(part, corpus / f"{name}.parquet"))
            for name, part in self.base.items()
        }
        Corpus(model_type=self.model_type, sets=sets).write(corpus / CORPUS)
        self.corpus = publish(self.store, corpus)

    def seal(self, corrections: pl.DataFrame, month: int) -> None:
        """Seal approved corrections (`text`, `label`, `reporter`, `trust`) into a batch."""
        negative, positive = LABELS[self.model_type]
        at = START + timedelta(days=30 * month)
        rows = corrections.with_columns(
            id=pl.Series([f"m{month}-{row}" for row in range(corrections.height)], dtype=pl.String),
            label=pl.when(pl.col("label") == 1).then(pl.lit(positive)).otherwise(pl.lit(negative)),
            campaign=pl.lit(""),
            scanned_at=pl.lit(at) + pl.duration(minutes=pl.int_range(pl.len())),
            approved_at=pl.lit(at),
        ).sort("id")
        path = self.folder / f"batch-{month}.parquet"
        rows.write_parquet(path)
        stored = put_file(self.store, f"batches/{self.model_type}", path, ".parquet")
        self.batches.append(
            BatchReference(
                id=f"{self.model_type}-{stored.digest[-16:]}",
                digest=stored.digest,
                uri=stored.key,
                count=rows.height,
                sealed_at=at,
            )
        )

    def write_inputs(self) -> Path:
        """Write what `collect` would, the last batch being this run's; return the file."""
        inputs = self.folder / "inputs.json"
        RunInputs(
            model_type=self.model_type,
            run_id="bench",
            batch=self.batches[-1],
            earlier=self.batches[:-1],
            corpus=self.corpus,
        ).write(inputs)
        return inputs

    def dataset(
        self,
        *,
        seed: int = 0,
        caps: Caps | None = None,
        replay: int = 0,
        suspects: bool = True,
    ) -> Path:
        """Run `build_dataset` over all batches, the last one being this run's."""
        inputs = self.write_inputs()
        target = self.folder / f"dataset-{len(self.batches)}"
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        build_dataset(
            inputs,
            self.store,
            target,
            self.folder / "card.html",
            cache=self.folder / "cache",
            seed=seed,
            caps=caps,
            replay=replay,
            set_suspects_aside=suspects,
        )
        return target

    def first_dataset(self) -> Path:
        """Return the dataset of a first model."""
        from components.prepare_corpus.first import first_dataset

        target = self.folder / "dataset-first"
        target.mkdir(exist_ok=True)
        first_dataset(self.folder / "corpus", target)
        return target


def fit_rows(rows: pl.DataFrame, champion: LinearModel | None = None) -> LinearModel:
    """Fit the product's linear model on a table with `text`, `label` and, perhaps, `weight`.

    Args:
        rows: With `source`, too, where there is a champion.
        champion: What it goes on from; None: a first model.
    """
    weights = rows["weight"].to_numpy() if "weight" in rows.columns else None
    texts, scam = rows["text"].to_list(), rows["label"].to_numpy() == 1
    if champion is None:
        return baseline_step.fit(texts, scam, weights)
    return baseline_step.go_on(champion, texts, scam, weights, baseline_step.of_users(rows))


def trained(dataset: Path, champion: Path | None, recipe: Recipe | None = None) -> Path:
    """Fine-tune by the product's `train` step; return the package directory, kept between calls."""
    recipe = recipe or Recipe(learning_rate=1e-4)  # as the results at hand were taken
    parent = "" if champion is None else ModelPackage.open(champion).digest
    sources = sorted(Path(train_step.__file__).parent.glob("*.py"))
    sources += sorted(Path(baseline_step.__file__).parent.glob("*.py"))
    sources += [Path(shield.linear.__file__)]
    parts = [
        messages.file_digest(dataset / "train.parquet"),
        messages.file_digest(dataset / "valid.parquet"),
        parent,
        json.dumps(recipe.as_json(), sort_keys=True),
        *(messages.file_digest(source) for source in sources if "test" not in source.name),
    ]
    name = hashlib.sha256("\n".join(parts).encode()).hexdigest()[:24]
    # A normaliser never changes under its name.
    target = WORK / "models" / f"{DEFAULT_NORMALISER}-{name}"
    if not (target / "manifest.json").is_file():
        part = target.with_name(f"{name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        baseline_step.run(dataset, dataset / "linear", champion)
        train_step.run(
            dataset,
            champion,
            part,
            linear=dataset / "linear",
            settings=StepSettings(checkpoint_dir=WORK / "checkpoints", api_url=None),
            recipe=recipe,
            run_id="bench",
            created_at=None,
        )
        part.rename(target)
    return target
