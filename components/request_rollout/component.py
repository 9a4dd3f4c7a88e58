"""KFP signature of `request_rollout`; the work is in `step.py`."""

from kfp import dsl
from kfp.dsl import Artifact, Input

from components.shared.images import LIGHT


@dsl.component(base_image=LIGHT, install_kfp_package=False)  # type: ignore[untyped-decorator]
def request_rollout(
    inputs: Input[Artifact],
    version: str,
    outcome: str,
) -> str:
    """Ask the API to bring the version to its users.

    Args:
        inputs: From `collect`.
        version: From `register`.
        outcome: From `gate`; anything but "promote" asks for nothing.

    Returns:
        "requested", "refused", "busy", "rejected" or "superseded".
    """
    from pathlib import Path

    from components.request_rollout.step import run
    from components.shared.environment import end_with_runner, open_artifacts, open_client
    from components.shared.runs import amend_outcome
    from shield.run_files import RunInputs

    end_with_runner()
    starts_from = RunInputs.read(Path(inputs.path))
    with open_client() as client:
        asked: str = run(
            client,
            model_type=starts_from.model_type,
            version=version,
            outcome=outcome,
            run_id=starts_from.run_id,
        )
    amend_outcome(open_artifacts(), starts_from.run_id, ended=True)
    return asked
