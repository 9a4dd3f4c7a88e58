from pathlib import Path
from typing import Annotated, Any

import pytest
import yaml
from kfp import dsl
from pydantic import Field

from components.baseline.component import baseline
from components.prepare_corpus.component import prepare_corpus
from components.train.component import train
from pipelines.compile import IR, WATCH, compiled, signatures
from pipelines.graph import STEPS, not_taken
from pipelines.run import run_weekly
from pipelines.signature import signed
from shield.errors import Invalid
from shield.retraining import RetrainingParameters, WatchParameters, of_step

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
    assert names - more == {"trigger"}
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


def test_a_step_whose_results_nobody_takes_is_waited_for() -> None:
    found: list[str] = []

    @dsl.pipeline(name="with-a-probe")  # type: ignore[untyped-decorator]
    def graph() -> None:
        data = prepare_corpus(model_type="sms")
        both = {"dataset": data.outputs["dataset"], "champion": data.outputs["champion"]}
        linear, probe = baseline(**both), baseline(**both)
        trained = train(
            dataset=data.outputs["dataset"],
            champion=data.outputs["champion"],
            linear=linear.outputs["model"],
        )
        found.extend(task.name for task in not_taken([data, linear, probe, trained]))

    assert graph.pipeline_spec
    assert found == ["baseline-2", "train"]


def test_the_signatures_of_the_steps_are_current() -> None:
    for path, source in signatures().items():
        assert path.read_text() == source, f"run `make graphs` and commit {path}"


@pytest.mark.parametrize(("path", "kind"), [(IR, RetrainingParameters), (WATCH, WatchParameters)])
def test_kubeflow_shows_every_parameter_by_its_name_and_some_step_takes_it(
    path: Path, kind: type[RetrainingParameters]
) -> None:
    ir = next(yaml.safe_load_all(path.read_text()))
    shown = ir["root"]["inputDefinitions"]["parameters"]
    names = {"model_type", "run_id"} | ({"trigger"} if path == IR else set())
    assert set(shown) == names | set(kind.model_fields)
    for name in kind.model_fields:
        takers = [
            component
            for component in ir["components"].values()
            if "executorLabel" in component
            and name in component.get("inputDefinitions", {}).get("parameters", {})
        ]
        assert takers, f"no step takes {name}"


def test_a_new_parameter_needs_its_field_and_the_step_that_uses_it() -> None:
    class Wider(RetrainingParameters):
        stop_words: Annotated[
            int, Field(ge=0, json_schema_extra={"unit": "words", "steps": "baseline"})
        ] = 7
        """Words to leave out, the most frequent first."""

    path = Path(__file__).parents[3] / "components/baseline/component.py"
    source = signed(path.read_text(), "baseline", Wider)
    assert "\n    stop_words: int = 7,\n) -> None:" in source
    assert "\n        stop_words: Words to leave out, the most frequent first.\n" in source
    assert signed(source, "baseline", Wider) == source
    assert signed(source.replace("stop_words", "seed"), "baseline").count("seed:") == 2
    given = {"dataset": 1, "seed": 2, "start": "base", "fpr_budget": 0.1, "stop_words": 9}
    assert of_step("baseline", given, Wider) == {k: v for k, v in given.items() if k != "dataset"}


def test_a_run_with_a_wrong_parameter_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    with pytest.raises(Invalid, match="no parameter epoch"):
        run_weekly(model_type="sms", runs_dir=tmp_path / "runs", parameters={"epoch": 4})
    assert not (tmp_path / "runs").exists()
