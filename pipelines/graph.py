"""The graphs: the weekly retraining, and the training of a first model.

The verdict is data, not a branch: a refused challenger is registered as refused, and the run
succeeds. The only branch is whether there is enough to learn from.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kfp import dsl

from components.baseline.component import baseline
from components.build_dataset.component import build_dataset
from components.collect.component import collect
from components.evaluate.component import evaluate
from components.finish_run.component import finish_run
from components.gate.component import gate
from components.prepare_corpus.component import prepare_corpus
from components.register.component import register
from components.request_rollout.component import request_rollout
from components.train.component import train
from pipelines.signature import taken, with_parameters
from shield.retraining import RetrainingParameters
from shield.wire import MANUAL

STEPS = ("collect", "build_dataset", "train", "evaluate", "gate", "register", "request_rollout")
"""The seven steps of a retraining, in order. `baseline` runs before `train`, `finish_run` after
all."""

OnTask = Callable[[str, Any], None]
"""Called with a step's name and its task while the graph is built; e.g. to ask for a GPU."""

_EFFECTS = {"collect", "register", "request_rollout", "finish_run", "drift_watch"}
"""A cached answer of these would be a lie: they change something outside, or read what changes."""


def build(on_task: OnTask | None = None) -> Any:
    """Return the weekly retraining as a KFP pipeline."""
    placed = placing(on_task)

    def body(parameters: Mapping[str, Any]) -> None:
        job_id = dsl.PIPELINE_JOB_ID_PLACEHOLDER
        names = {
            "model_type": parameters["model_type"],
            "run_id": parameters["run_id"],
            "job_id": job_id,
        }
        finish = placed("finish_run", finish_run(**names))
        with dsl.ExitHandler(finish, name="retraining"):
            retrain(placed, names, parameters, trigger=parameters["trigger"])

    pipeline = dsl.pipeline(
        name="weekly-retraining",
        description="Approved corrections in, at most one new model version out.",
    )
    graph = with_parameters(body, RetrainingParameters, "weekly_retraining", trigger=MANUAL)
    return pipeline(graph)


def build_training() -> Any:
    """Return the retraining up to the gate: what it makes is signed and registered elsewhere."""
    placed = placing(None)

    def body(parameters: Mapping[str, Any]) -> None:
        job_id = dsl.PIPELINE_JOB_ID_PLACEHOLDER
        names = {
            "model_type": parameters["model_type"],
            "run_id": parameters["run_id"],
            "job_id": job_id,
        }
        retrain(placed, names, parameters, trigger=parameters["trigger"], registers=False)

    pipeline = dsl.pipeline(
        name="weekly-training", description="Approved corrections in, a judged challenger out."
    )
    return pipeline(with_parameters(body, RetrainingParameters, "weekly_training", trigger=MANUAL))


def retrain(
    placed: Callable[[str, Any], Any],
    names: Mapping[str, Any],
    parameters: Mapping[str, Any],
    *,
    trigger: Any = MANUAL,
    registers: bool = True,
) -> None:
    """Add the steps from `collect` to `request_rollout` to the graph that is being built.

    Args:
        placed: Called with a step's name and its task; returns the task.
        names: `model_type`, `run_id` and `job_id`.
        parameters: The parameters of the retraining; each step gets those that it has inputs for.
        trigger: What has started the run, if nothing else has recorded that; shown with it.
        registers: Whether the last two steps are among them.
    """
    steps: list[Any] = []

    def step(name: str, task: Any) -> Any:
        steps.append(placed(name, task))
        return steps[-1]

    leased = step("collect", collect(**names, trigger=trigger, **taken(collect, parameters)))
    with dsl.If(leased.outputs["Output"] == "leased", name="enough-feedback"):
        data = step(
            "build_dataset",
            build_dataset(inputs=leased.outputs["inputs"], **taken(build_dataset, parameters)),
        )
        linear = step(
            "baseline",
            baseline(
                dataset=data.outputs["dataset"],
                champion=leased.outputs["champion"],
                **taken(baseline, parameters),
            ),
        )
        challenger = step(
            "train",
            train(
                dataset=data.outputs["dataset"],
                champion=leased.outputs["champion"],
                linear=linear.outputs["model"],
                **taken(train, parameters),
            ),
        )
        scores = step(
            "evaluate",
            evaluate(
                dataset=data.outputs["dataset"],
                challenger=challenger.outputs["model"],
                champion=leased.outputs["champion"],
                baseline=linear.outputs["model"],
                history=leased.outputs["history"],
                **taken(evaluate, parameters),
            ),
        )
        decision = step(
            "gate", gate(evaluations=scores.outputs["evaluations"], **taken(gate, parameters))
        )
        if not registers:
            return
        version = step(
            "register",
            register(
                model=challenger.outputs["model"],
                evaluations=scores.outputs["evaluations"],
                verdict=decision.outputs["verdict"],
                inputs=leased.outputs["inputs"],
                report=scores.outputs["report"],
                **taken(register, parameters),
            ),
        )
        request = placed(
            "request_rollout",
            request_rollout(
                inputs=leased.outputs["inputs"],
                version=version.output,
                outcome=decision.outputs["Output"],
            ),
        )
        # It ends the record of the run: steps whose results nobody takes must have ended, too.
        request.after(*not_taken(steps))


def not_taken(tasks: Sequence[Any]) -> list[Any]:
    """Return the tasks whose outputs no other of them takes."""
    taken_from = {channel.task_name for task in tasks for channel in task.channel_inputs}
    return [task for task in tasks if task.name not in taken_from]


def placing(on_task: OnTask | None) -> Callable[[str, Any], Any]:
    """Return what places a task: effects are never answered from the cache."""

    def placed(name: str, task: Any) -> Any:
        task.set_caching_options(name not in _EFFECTS)
        if on_task is not None:
            on_task(name, task)
        return task

    return placed


def build_base(on_task: OnTask | None = None) -> Any:
    """Return the training of a first model: from the corpus to a judged package, not registered."""

    def placed(name: str, task: Any) -> Any:
        if on_task is not None:
            on_task(name, task)
        return task

    @dsl.pipeline(  # type: ignore[untyped-decorator]
        name="base-training", description="A corpus in, a first model out."
    )
    def base_training(
        model_type: str,
        seed: int = 0,
        hold_back: float = 0.0,
        most_messages: int = 0,
        most_train: int = 0,
        epochs: int = 2,
        learning_rate: float = 1e-4,
        max_tokens: int = 128,
        token_budget: int = 1024,
        fpr_budget: float = 0.01,
        limits: dict = {},  # type: ignore[type-arg]  # noqa: B006  # KFP reads the annotation
    ) -> None:
        data = placed(
            "prepare_corpus",
            prepare_corpus(
                model_type=model_type,
                seed=seed,
                hold_back=hold_back,
                most_messages=most_messages,
                most_train=most_train,
            ),
        )
        linear = placed(
            "baseline",
            baseline(
                dataset=data.outputs["dataset"],
                champion=data.outputs["champion"],
                fpr_budget=fpr_budget,
                seed=seed,
                start="base",
            ),
        )
        first = placed(
            "train",
            train(
                dataset=data.outputs["dataset"],
                champion=data.outputs["champion"],
                linear=linear.outputs["model"],
                seed=seed,
                epochs=epochs,
                learning_rate=learning_rate,
                max_tokens=max_tokens,
                token_budget=token_budget,
                fpr_budget=fpr_budget,
                start="base",
            ),
        )
        scores = placed(
            "evaluate",
            evaluate(
                dataset=data.outputs["dataset"],
                challenger=first.outputs["model"],
                champion=data.outputs["champion"],
                baseline=linear.outputs["model"],
                history=data.outputs["history"],
                fpr_budget=fpr_budget,
                seed=seed,
                min_feedback=0,
                limits=limits,
            ),
        )
        # No correction stands behind a first model, so none is asked for.
        placed(
            "gate",
            gate(evaluations=scores.outputs["evaluations"], min_feedback=0, limits=limits),
        )

    return base_training


weekly_retraining = build()
weekly_training = build_training()
base_training = build_base()
