"""The daily graph: look for drift; where there is some, retrain in the same run.

The run keeps the look as the reason of the retraining, and the exit handler of both is one: a
retraining that fails gives its corrections back as a weekly one does.
"""

from collections.abc import Mapping
from typing import Any

from kfp import dsl

from components.drift_watch.component import drift_watch
from components.finish_run.component import finish_run
from pipelines.graph import OnTask, placing, retrain
from pipelines.signature import with_parameters
from shield.retraining import WatchParameters


def build_watch(on_task: OnTask | None = None) -> Any:
    """Return the drift watch as a KFP pipeline. Its other parameters are `weekly_retraining`'s."""
    placed = placing(on_task)

    def body(parameters: Mapping[str, Any]) -> None:
        job_id = dsl.PIPELINE_JOB_ID_PLACEHOLDER
        names = {
            "model_type": parameters["model_type"],
            "run_id": parameters["run_id"],
            "job_id": job_id,
        }
        finish = placed("finish_run", finish_run(**names))
        with dsl.ExitHandler(finish, name="watch"):
            look = placed("drift_watch", drift_watch(**names, alpha=parameters["alpha"]))
            with dsl.If(look.outputs["Output"] == "retrain", name="drift"):
                retrain(placed, names, parameters)

    pipeline = dsl.pipeline(
        name="drift-watch",
        description="Looks for drift; where there is some, approved corrections become a version.",
    )
    return pipeline(with_parameters(body, WatchParameters, "drift_watching"))


drift_watching = build_watch()
