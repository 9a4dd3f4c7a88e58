"""The step on files: where a training starts from, and what an encoder may be named by."""

from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from components.shared import messages
from components.shared.base_model import CONFIG, TOKENIZER, WEIGHTS, fetched
from components.shared.environment import StepSettings
from components.train.recipe import Recipe
from components.train.step import run, run_from
from shield.artifacts.directory import DirectoryStore
from shield.device import read_device
from shield.errors import Invalid, Misconfigured
from shield.labels import ModelType
from shield.linear import Features, LinearModel
from shield.metrics import most_flagged
from shield.packages import ModelPackage
from shield.predictor import Predictor
from shield.run_files import DATASET, DatasetFacts
from tests.support.tiny import tiny_encoder

pytestmark = pytest.mark.xdist_group("training")


LURES = ["win", "a", "free", "prize", "now", "claim", "cash", "award", "urgent", "call"]
CHAT = ["see", "you", "at", "home", "after", "the", "lecture", "mum", "is", "tired"]


def rows(many: int, seed: int) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    labels = [place % 2 for place in range(many)]
    texts = [" ".join(rng.choice(LURES if label else CHAT, 8)) for label in labels]
    table = pl.DataFrame({"id": [f"m{n}" for n in range(many)], "text": texts, "label": labels})
    return messages.conform(table.with_columns(source=pl.lit("test")))


def dataset_of(folder: Path, seed: int) -> Path:
    for name, draw in (("train", seed), ("valid", 2)):
        messages.write(rows(96, draw), folder / f"{name}.parquet")
    facts = DatasetFacts(model_type=ModelType.SMS, fresh_feedback=0, golden_digest="sha256:0")
    facts.write(folder / DATASET)
    return folder


def test_a_training_starts_from_whichever_judges_better(tmp_path: Path) -> None:
    settings = StepSettings(base_model=tiny_encoder(), checkpoint_dir=tmp_path / "kept", threads=1)
    recipe = Recipe(epochs=6, learning_rate=3e-3, token_budget=128, max_tokens=32, threads=1)
    given: dict[str, Any] = {
        "settings": settings,
        "recipe": recipe,
        "run_id": None,
        "created_at": None,
    }

    def trained(start: str, champion: Path | None, name: str) -> Any:
        place = tmp_path / name
        place.mkdir()
        return run_from(start, dataset_of(tmp_path / "data", 1), champion, place, **given)

    champion = trained("champion", None, "champion")  # there is none: from the base model
    assert champion.manifest.parent is None
    made = {start: trained(start, champion.path, start) for start in ("base", "better")}
    onward = trained("champion", champion.path, "onward")
    assert onward.manifest.parent == champion.digest
    losses = {
        package.digest: package.manifest.recipe["valid_loss"] for package in (onward, made["base"])
    }
    assert made["better"].digest == min(losses, key=lambda digest: losses[digest])
    assert onward.manifest.recipe["valid_loss"] < made["base"].manifest.recipe["valid_loss"]
    assert not list(tmp_path.glob("better-from-*")), "what was tried is not left lying about"
    with pytest.raises(Invalid, match="champion, base, better"):
        trained("best", champion.path, "nonsense")


def test_every_version_is_put_at_the_same_operating_point(tmp_path: Path) -> None:
    data = dataset_of(tmp_path / "data", 1)
    hams = rows(600, 5).filter(pl.col("label") == 0)
    noisy = hams.with_columns(pl.Series("text", [f"{t} win" for t in hams["text"]]))
    valid = pl.concat([rows(96, 2), hams.with_columns(id="h" + pl.col("id")), noisy])
    messages.write(valid, data / "valid.parquet")
    linear = tmp_path / "linear"
    LinearModel(np.zeros(Features(bits=12).buckets, np.float32), 0.0, 0.5, Features(bits=12)).save(
        linear
    )
    settings = StepSettings(base_model=tiny_encoder(), checkpoint_dir=tmp_path / "kept", threads=1)
    recipe = Recipe(epochs=1, learning_rate=3e-3, token_budget=256, max_tokens=32, threads=1)
    made: list[ModelPackage] = []
    for name, budget, half in (("a", 0.01, None), ("b", 0.1, linear)):
        (tmp_path / name).mkdir()
        made.append(
            run(
                data,
                made[0].path if made else None,
                tmp_path / name,
                settings=settings,
                recipe=recipe,
                run_id=None,
                created_at=None,
                fpr_budget=budget,
                linear=half,
            )
        )
    harmless = valid.filter(pl.col("label") == 0)["text"].to_list()
    for package, budget in zip(made, (0.01, 0.1), strict=True):
        flagged = int(np.sum(Predictor(package).margins(harmless) >= 0))
        placed = package.manifest.recipe["operating_point"]
        assert placed == {"budget": budget, "flagged": flagged, "hams": 648, "alone": 0.0}
        assert flagged <= most_flagged(648, budget)
    assert [package.manifest.settled_margin().linear > 0 for package in made] == [0, 1]
    assert "linear.safetensors" in made[1].manifest.files
    assert "device.json" not in made[0].manifest.files
    on_phones = read_device(made[1])
    assert np.sum(on_phones.margins(harmless) >= 0) <= most_flagged(648, 0.1)
    assert on_phones.operating.scam > 0
    assert made[1].manifest.recipe["operating_point"]["flagged"] > most_flagged(648, 0.01)


def test_an_encoder_is_fetched_from_the_store_once(tmp_path: Path) -> None:
    store = DirectoryStore(tmp_path / "store")
    settings = StepSettings(package_cache_dir=tmp_path / "cache" / "packages")
    with pytest.raises(Misconfigured, match=r"models/tiny/config\.json"):
        fetched(store, "models/tiny", settings)
    encoder = tiny_encoder()
    for name in (CONFIG, WEIGHTS, TOKENIZER):
        store.put(f"models/tiny/{name}", (encoder / name).read_bytes())
    found = fetched(store, "models/tiny", settings)
    for name in (CONFIG, WEIGHTS, TOKENIZER):
        assert (found / name).read_bytes() == (encoder / name).read_bytes()
    assert fetched(DirectoryStore(tmp_path / "empty"), "models/tiny", settings) == found
