"""Steps of a run start with what they need: a second spent on imports is one for every step."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

_LEARNING = {"sklearn", "scipy.stats", "torch", "transformers", "onnxruntime", "matplotlib"}


def imported_by(step: str) -> list[str]:
    """Return the modules of a step's process when its function has imported what it uses."""
    tree = ast.parse(Path(f"components/{step}/component.py").read_text())
    imports = [
        ast.unparse(node)
        for function in tree.body
        if isinstance(function, ast.FunctionDef) and function.name == step
        for node in function.body
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert imports
    code = ["import kfp.dsl.executor_main", *imports, "import sys", "print(*sys.modules)"]
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(code)],
        env={**os.environ, "_KFP_RUNTIME": "true"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    ("step", "needless", "most"),
    [
        ("gate", {"httpx", "shield.client", "polars", *_LEARNING}, 560),
        ("collect", _LEARNING, 950),
        ("build_dataset", _LEARNING, 1250),
        ("prepare_corpus", {"httpx", *_LEARNING}, 1250),
    ],
)
def test_a_step_imports_what_it_needs_alone(step: str, needless: set[str], most: int) -> None:
    modules = imported_by(step)
    assert not needless.intersection(modules)
    assert len(modules) <= most
