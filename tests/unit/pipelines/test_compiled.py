from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.compile import IR, WATCH, compiled
from pipelines.graph import STEPS

GRAPHS = pytest.mark.parametrize("path", [IR, WATCH], ids=lambda path: path.stem)


@GRAPHS
def test_the_compiled_graph_in_the_repository_is_current(path: Path) -> None:
    assert path.read_text() == compiled(path), "run `make graphs` and commit pipelines/*.yaml"


@GRAPHS
def test_no_step_with_an_effect_is_answered_from_the_cache(path: Path) -> None:
    (ir, *_) = yaml.safe_load_all(path.read_text())
    cached = {}

    def walk(tasks: dict[str, Any]) -> None:
        for name, task in tasks.items():
            cached[name] = bool(task.get("cachingOptions", {}).get("enableCache"))

    walk(ir["root"]["dag"]["tasks"])
    for component in ir["components"].values():
        walk(component.get("dag", {}).get("tasks", {}))
    assert {name.replace("-", "_") for name in cached} >= {*STEPS, "finish_run", "baseline"}
    for effect in ("collect", "register", "request-rollout", "finish-run", "drift-watch"):
        assert cached.get(effect, False) is False, effect


@GRAPHS
def test_nothing_is_installed_at_run_time(path: Path) -> None:
    assert "pip install" not in path.read_text()


def test_the_watch_takes_every_parameter_of_the_weekly_graph_and_learns_only_from_drift() -> None:
    weekly, watch = (next(yaml.safe_load_all(path.read_text())) for path in (IR, WATCH))
    names, more = (set(ir["root"]["inputDefinitions"]["parameters"]) for ir in (weekly, watch))
    assert more - names == {"alpha"}
    assert names <= more
    (branch,) = (
        task
        for part in watch["components"].values()
        for task in part.get("dag", {}).get("tasks", {}).values()
        if "drift" in task["taskInfo"]["name"] and "triggerPolicy" in task
    )
    assert "== 'retrain'" in branch["triggerPolicy"]["condition"]


@GRAPHS
def test_the_step_that_ends_the_record_runs_after_all_others(path: Path) -> None:
    (ir, *_) = yaml.safe_load_all(path.read_text())
    (tasks,) = (
        part["dag"]["tasks"]
        for part in ir["components"].values()
        if "request-rollout" in part.get("dag", {}).get("tasks", {})
    )
    before, open_ends = set(), ["request-rollout"]
    while open_ends:
        found = tasks[open_ends.pop()].get("dependentTasks", [])
        open_ends += [name for name in found if name not in before]
        before |= set(found)
    assert before == set(tasks) - {"request-rollout"}
