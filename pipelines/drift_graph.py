"""The daily graph: look for drift; where there is some, retrain in the same run.

The run keeps the look as the reason of the retraining, and the exit handler of both is one: a
retraining that fails gives its corrections back as a weekly one does.
"""

from typing import Any

from kfp import dsl

from components.drift_watch.component import drift_watch
from components.finish_run.component import finish_run
from pipelines.graph import OnTask, placing, retrain


def build_watch(on_task: OnTask | None = None) -> Any:
    """Return the drift watch as a KFP pipeline. Its other parameters are `weekly_retraining`'s."""
    placed = placing(on_task)

    @dsl.pipeline(  # type: ignore[untyped-decorator]
        name="drift-watch",
        description="Looks for drift; where there is some, approved corrections become a version.",
    )
    def drift_watching(
        model_type: str,
        run_id: str = "",
        alpha: float = 0.05,
        min_feedback: int = 20,
        seed: int = 0,
        replay: int = 0,
        per_reporter: int = 50,
        per_campaign: int = 20,
        start: str = "champion",
        epochs: int = 3,
        learning_rate: float = 5e-5,
        max_tokens: int = 128,
        token_budget: int = 1024,
        fpr_budget: float = 0.01,
        lease_seconds: int = 21600,
        limits: dict = {},  # type: ignore[type-arg]  # noqa: B006  # KFP reads the annotation
        rollout: dict = {},  # type: ignore[type-arg]  # noqa: B006
    ) -> None:
        job_id = dsl.PIPELINE_JOB_ID_PLACEHOLDER
        finish = placed(
            "finish_run", finish_run(model_type=model_type, run_id=run_id, job_id=job_id)
        )
        with dsl.ExitHandler(finish, name="watch"):
            look = placed(
                "drift_watch",
                drift_watch(model_type=model_type, run_id=run_id, job_id=job_id, alpha=alpha),
            )
            with dsl.If(look.outputs["Output"] == "retrain", name="drift"):
                retrain(
                    placed,
                    {
                        "job_id": job_id,
                        "model_type": model_type,
                        "run_id": run_id,
                        "min_feedback": min_feedback,
                        "seed": seed,
                        "replay": replay,
                        "per_reporter": per_reporter,
                        "per_campaign": per_campaign,
                        "start": start,
                        "epochs": epochs,
                        "learning_rate": learning_rate,
                        "max_tokens": max_tokens,
                        "token_budget": token_budget,
                        "fpr_budget": fpr_budget,
                        "lease_seconds": lease_seconds,
                        "limits": limits,
                        "rollout": rollout,
                    },
                )

    return drift_watching


drift_watching = build_watch()
