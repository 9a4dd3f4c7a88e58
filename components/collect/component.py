"""KFP signature of `collect`; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import Artifact, Model, Output

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def collect(
    model_type: str,
    run_id: str,
    job_id: str,
    inputs: Output[Artifact],
    champion: Output[Model],
    history: Output[Artifact],
    trigger: str = "manual",
    min_feedback: int = 50,
    lease_seconds: int = 21600,
) -> str:
    """Lease the approved corrections of one model type.

    Args:
        model_type: A model type, e.g. "sms".
        run_id: The same id gets the same batch again. Empty: `job_id`.
        job_id: The engine's name of this run.
        inputs: What the run starts from, as JSON.
        champion: Package directory of the model that serves now; empty when there is none.
        history: Golden figures of earlier versions, as JSON.
        trigger: What has started the run; shown with it.
        min_feedback: The run is skipped if fewer corrections than this are approved.
        lease_seconds: The corrections are released this long after the run last renewed its lease.

    Returns:
        "leased" or "too_few".
    """
    from pathlib import Path

    from components.collect.step import LEASED, run
    from components.shared.environment import (
        StepSettings,
        end_with_runner,
        open_artifacts,
        open_client,
        open_trust,
    )
    from components.shared.runs import amend_outcome, begin_outcome, run_name
    from shield.labels import ModelType
    from shield.retraining import of_step
    from shield.run_files import RunInputs
    from shield.wire import RunOutcome

    parameters = of_step("collect", locals())
    end_with_runner()
    run_id = run_name(run_id, job_id)
    settings, store = StepSettings(), open_artifacts()
    begin_outcome(store, run_id, job_id)
    with open_client(settings) as client:
        kind = ModelType(model_type)
        client.start_run(run_id, kind, engine=settings.engine, trigger=trigger)
        outcome = run(
            client,
            store,
            Path(inputs.path),
            Path(champion.path),
            Path(history.path),
            model_type=kind,
            run_id=run_id,
            package_cache=settings.package_cache_dir,
            trust=open_trust(),
            **parameters,
        )
    if outcome != LEASED:
        why = RunInputs.read(Path(inputs.path))
        message = f"{why.count} approved corrections; {why.minimum} are needed."
        amend_outcome(store, run_id, outcome=RunOutcome.SKIPPED, message=message, ended=True)
    return outcome
