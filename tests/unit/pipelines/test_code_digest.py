"""The key of a kept first model follows the code that made it, however that is arranged."""

from pathlib import Path

import pytest

from pipelines.base import STEPS, recipe_digest
from pipelines.code_digest import code_digest, source_files
from pipelines.graph import base_training


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name, content in {
        "components/__init__.py": "",
        "components/train/__init__.py": "",
        "components/train/component.py": "def train():\n    from components.train import step\n",
        "components/train/step.py": "from shield.metrics import curves\nimport shield.text\n",
        "shield/__init__.py": "",
        "shield/metrics/__init__.py": "from shield.metrics.counts import Counts\n",
        "shield/metrics/counts.py": "class Counts: ...\n",
        "shield/metrics/curves.py": "import numpy\n",
        "shield/text.py": "",
        "shield/kube.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(content)
    return tmp_path


def test_a_change_anywhere_behind_a_step_changes_the_digest_and_elsewhere_does_not(
    tree: Path,
) -> None:
    roots = ["components.train.component"]
    behind = source_files(roots, tree)
    assert {str(file.relative_to(tree)) for file in tree.rglob("*.py") if file not in behind} == {
        "shield/kube.py"
    }
    before = code_digest(roots, tree)
    for file in tree.rglob("*.py"):
        content = file.read_text()
        file.write_text(content + "# changed\n")
        assert (code_digest(roots, tree) != before) == (file in behind), file
        file.write_text(content)
    assert code_digest(roots, tree) == before


def test_a_step_that_is_not_there_is_an_error_and_not_an_empty_digest(tree: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"components\.nothing"):
        code_digest(["components.nothing.component"], tree)


def test_the_steps_of_the_graph_are_all_behind_the_key() -> None:
    tasks = base_training.pipeline_spec.root.dag.tasks
    assert {name.replace("-", "_") for name in tasks} == set(STEPS)
    behind = source_files(f"components.{step}.component" for step in STEPS)
    names = {f"{file.parent.name}/{file.name}" for file in behind}
    assert {"shield/predictor.py", "metrics/curves.py", "train/training.py"} <= names
    assert len(recipe_digest("sms")) == 16
