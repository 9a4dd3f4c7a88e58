from typing import Any

import yaml

from pipelines.compile import IR, compiled
from pipelines.graph import STEPS


def test_the_compiled_graph_in_the_repository_is_current() -> None:
    assert IR.read_text() == compiled(), "run `make generate` and commit pipelines/*.yaml"


def test_no_step_with_an_effect_is_answered_from_the_cache() -> None:
    (ir, *_) = yaml.safe_load_all(IR.read_text())
    cached = {}

    def walk(tasks: dict[str, Any]) -> None:
        for name, task in tasks.items():
            cached[name] = bool(task.get("cachingOptions", {}).get("enableCache"))

    walk(ir["root"]["dag"]["tasks"])
    for component in ir["components"].values():
        walk(component.get("dag", {}).get("tasks", {}))
    assert {name.replace("-", "_") for name in cached} >= {*STEPS, "finish_run", "baseline"}
    for effect in ("collect", "register", "request-rollout", "finish-run"):
        assert cached[effect] is False, effect


def test_nothing_is_installed_at_run_time() -> None:
    assert "pip install" not in IR.read_text()
