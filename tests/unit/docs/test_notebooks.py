"""The notebooks run, from the first cell to the last, on small data."""

import csv
import os
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest

from components.shared import messages
from shield.labels import ModelType
from shield.run_files import DATASET, DatasetFacts
from tests.support.api import running_api
from tests.support.packages import CHAT, LURES, signed_package
from tests.support.tiny import tiny_encoder
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("training")

NOTEBOOKS = Path(__file__).parents[3] / "docs/notebooks"


def run(name: str, *arguments: object, cwd: Path, **environment: str) -> str:
    """Run a notebook as a script and return what it printed."""
    done = subprocess.run(
        [sys.executable, str(NOTEBOOKS / name), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_SECONDS,
        cwd=cwd,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "messages.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        writer.writerows([[text, 1] for text in LURES] + [[text, 0] for text in CHAT])
    return path


def test_two_packages_are_compared(tmp_path: Path, table: Path) -> None:
    old, new = (signed_package(seed).package.path for seed in (0, 1))
    told = run("compare.py", old, new, table, cwd=tmp_path)
    assert "golden           recall" in told
    assert "->" in told


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    """A dataset of a few dozen messages."""
    folder = tmp_path / "data"
    texts = [(text, 1) for text in LURES] + [(text, 0) for text in CHAT]
    for name, copies in (("train", 4), ("valid", 1), ("golden", 1)):
        rows = [
            {"id": f"{name}-{n}-{place}", "text": f"{text} {n}", "label": label, "source": "test"}
            for n in range(copies)
            for place, (text, label) in enumerate(texts)
        ]
        table = pl.DataFrame(rows).with_columns(campaign=pl.col("id"))
        messages.write(table, folder / f"{name}.parquet")
    facts = DatasetFacts(model_type=ModelType.SMS, fresh_feedback=0, golden_digest="sha256:0")
    facts.write(folder / DATASET)
    return folder


def test_every_notebook_is_run_here() -> None:
    run_here = Path(__file__).read_text()
    assert [path.name for path in NOTEBOOKS.glob("*.py") if f'"{path.name}"' not in run_here] == []


def test_a_package_judges_in_three_lines(tmp_path: Path) -> None:
    told = run("first_steps.py", signed_package().package.path, cwd=tmp_path)
    assert told.startswith("[0.")
    assert told.count("%") == 4


def test_a_dataset_is_looked_into(tmp_path: Path, dataset: Path) -> None:
    told = run("look_into_a_dataset.py", dataset, cwd=tmp_path)
    assert "train               80 messages,     40 scams" in told
    assert "golden         0 messages of campaigns that teach" in told


def test_a_component_is_tried(tmp_path: Path, dataset: Path) -> None:
    package = signed_package().package.path
    told = run("try_a_component.py", dataset, package, tmp_path / "out", cwd=tmp_path)
    assert "# Promoted" in told
    assert (tmp_path / "out" / "report.html").read_text().count("Promoted") == 1


def test_another_recipe_is_trained_and_proposed(tmp_path: Path, dataset: Path) -> None:
    out, keys = tmp_path / "out", signed_package()
    told = run("train_another_recipe.py", dataset, tiny_encoder(), out, cwd=tmp_path)
    assert "1 epoch" in told
    with running_api(tmp_path / "api") as api:
        told = run(
            "propose_a_version.py",
            shutil.copytree(out / "model", tmp_path / "model"),
            "a shorter row",
            cwd=tmp_path,
            SHIELD_API_URL=api.url,
            SHIELD_API_TOKEN=api.token("ann", "admin"),
            SHIELD_ARTIFACTS_ROOT=str(api.artifacts_root),
            SHIELD_SIGNING_KEY=str(keys.signing_key),
        )
        assert "wanted: sms-v1 instead of nothing" in told
        with api.client("ann", "admin") as admin:
            (version,) = admin.versions(ModelType.SMS)
    assert version.metrics == {}
    assert "sms-v1 candidate" in told
