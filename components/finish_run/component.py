"""KFP signature of `finish_run`, the exit handler of every run; the work is in `step.py`."""

from kfp import dsl

from components.shared.images import LIGHT


@dsl.component(base_image=LIGHT, install_kfp_package=False)  # type: ignore[untyped-decorator]
def finish_run(run_id: str, job_id: str, status: dsl.PipelineTaskFinalStatus) -> None:
    """Record how the run ended, and give back what it still holds.

    Args:
        run_id: Of this run. Empty: `job_id`.
        job_id: The engine's name of this run.
        status: Filled in by Kubeflow.
    """
    from components.finish_run.step import run
    from components.shared.environment import open_artifacts, open_client
    from components.shared.runs import run_name

    with open_client() as client:
        run(
            client,
            open_artifacts(),
            run_id=run_name(run_id, job_id),
            succeeded=status.state in ("SUCCEEDED", "COMPLETE"),
            failure=status.error_message or f"The run ended as {status.state}.",
        )
