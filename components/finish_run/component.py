"""KFP signature of `finish_run`, the exit handler of every run; the work is in `step.py`."""

from kfp import dsl

from components.shared.images import LIGHT


@dsl.component(base_image=LIGHT, install_kfp_package=False)  # type: ignore[untyped-decorator]
def finish_run(
    model_type: str, run_id: str, job_id: str, status: dsl.PipelineTaskFinalStatus
) -> None:
    """Record how the run ended, and give back what it still holds.

    Args:
        model_type: A model type, e.g. "sms".
        run_id: Of this run. Empty: `job_id`.
        job_id: The engine's name of this run.
        status: Filled in by Kubeflow.
    """
    from components.finish_run.step import run
    from components.shared.environment import StepSettings, open_artifacts, open_client
    from components.shared.runs import run_name
    from shield.labels import ModelType

    settings = StepSettings()
    with open_client(settings) as client:
        run(
            client,
            open_artifacts(),
            model_type=ModelType(model_type),
            run_id=run_name(run_id, job_id),
            job_id=job_id,
            state=status.state,
            error=status.error_message or "",
            engine=settings.engine,
        )
