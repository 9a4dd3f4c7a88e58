"""KFP signature of `register`; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import HTML, Artifact, Input, Model

from components.shared.images import TRAINING


@dsl.component(base_image=TRAINING, install_kfp_package=False)  # type: ignore[untyped-decorator]
def register(
    model: Input[Model],
    evaluations: Input[Artifact],
    verdict: Input[Artifact],
    inputs: Input[Artifact],
    report: Input[HTML],
) -> str:
    """Sign, push and register the challenger; acknowledge or release its batch.

    Args:
        model: Package from `train`.
        evaluations: From `evaluate`.
        verdict: From `gate`.
        inputs: From `collect`.
        report: From `evaluate`.

    Returns:
        The name of the version, e.g. "sms-v7". A refused challenger gets one, too.
    """
    from pathlib import Path

    from components.register.step import run, tell
    from components.shared.environment import (
        StepSettings,
        end_with_runner,
        open_artifacts,
        open_client,
    )
    from components.shared.lease import keep_lease
    from shield.packages import PackageSettings
    from shield.run_files import RunInputs

    end_with_runner()
    settings = StepSettings()
    keep_lease(RunInputs.read(Path(inputs.path)).lease, settings)
    store = open_artifacts()
    with open_client(settings) as client:
        version = run(
            client,
            store,
            model=Path(model.path),
            evaluations=Path(evaluations.path),
            verdict=Path(verdict.path),
            inputs=Path(inputs.path),
            report=Path(report.path),
            signing_key=PackageSettings().require_signing_key(),
            code_version=settings.code_version,
        )
    tell(store, version)
    return version.name
