"""A first transformer in two containers: what trains has no signing key, what signs trains not."""

from pathlib import Path

import pytest

from pipelines import base
from shield.errors import NotFound


def called(folder: Path, part: base.Part) -> base.BaseResult | None:
    return base.train_base(
        model_type="sms",
        seed=0,
        data_dir=folder / "data",
        cache_dir=folder / "cache",
        hold_back=0.0,
        part=part,
    )


def test_training_alone_signs_nothing_and_needs_neither_key_nor_api(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SHIELD_API_URL", "SHIELD_SIGNING_KEY"):
        monkeypatch.delenv(name, raising=False)
    recipe = base.recipe_digest("sms", 0, False, 0.0)
    story = tmp_path / "cache" / f"sms-{recipe}" / "story"
    story.mkdir(parents=True)
    (story / "story.json").write_text("{}")  # trained before
    assert called(tmp_path, "train") is None


def test_registering_alone_trains_nothing(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="--part train"):
        called(tmp_path, "register")
    assert not (tmp_path / "data").exists()
