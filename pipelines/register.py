"""Sign and register what a run has trained elsewhere, and ask for its rollout.

    python -m pipelines.register --model-type sms --run-id X

`python -m pipelines.run --hand-over` has left it in the artifact store. This process alone needs
the signing key; it runs no training code and reads no messages.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from components.finish_run import step as finish_run
from components.register import step as register
from components.request_rollout import step as request_rollout
from components.shared.environment import StepSettings, open_artifacts, open_client
from components.shared.lease import keep_lease
from components.shared.runs import amend_outcome, read_outcome
from pipelines import handover
from shield.artifacts import ArtifactStore
from shield.client import ShieldClient
from shield.errors import NotFound, ShieldError, Unavailable
from shield.gates import Decision
from shield.labels import ModelType
from shield.packages import PackageSettings
from shield.run_files import RunInputs


def register_run(
    client: ShieldClient,
    store: ArtifactStore,
    settings: StepSettings,
    *,
    model_type: ModelType,
    run_id: str,
    signing_key: Path,
) -> str | None:
    """Register the challenger of a run and end the run; return the version's name.

    `None`: the run has left nothing, because it was skipped or is done.

    Raises:
        ShieldError: It could not be registered. The run is recorded as failed and its corrections
            are given back, unless something did not answer: then the same may be tried again.
    """
    with tempfile.TemporaryDirectory(prefix="challenger-") as folder:
        handed_over = handover.take(store, run_id, Path(folder))
        if handed_over is None:
            return None
        try:
            keep_lease(RunInputs.read(handed_over.inputs).lease, settings)
            version = register.run(
                client,
                store,
                model=handed_over.model,
                evaluations=handed_over.evaluations,
                verdict=handed_over.verdict,
                inputs=handed_over.inputs,
                report=handed_over.report,
                signing_key=signing_key,
                code_version=settings.code_version,
            )
            register.tell(store, version)
            request_rollout.run(
                client,
                model_type=model_type,
                version=version.name,
                outcome=Decision.model_validate_json(handed_over.verdict.read_bytes()).outcome,
                run_id=run_id,
            )
            amend_outcome(store, run_id, ended=True)
        except Unavailable:
            raise
        except ShieldError as error:
            _finish(client, store, settings, model_type, run_id, finish_run.FAILED, error.message)
            handover.clear(store, run_id)
            raise
        _finish(client, store, settings, model_type, run_id, "SUCCEEDED", "")
        handover.clear(store, run_id)
        return version.name


def _finish(
    client: ShieldClient,
    store: ArtifactStore,
    settings: StepSettings,
    model_type: ModelType,
    run_id: str,
    state: str,
    error: str,
) -> None:
    try:
        job_id = read_outcome(store, run_id).job_id
    except NotFound:
        job_id = ""
    finish_run.run(
        client,
        store,
        model_type=model_type,
        run_id=run_id,
        job_id=job_id,
        state=state,
        error=error,
        engine=settings.engine,
    )


def main(
    arguments: list[str] | None = None, say: Callable[[str], object] = sys.stdout.write
) -> int:
    """Register from the command line; 0 unless something failed."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.register", description=__doc__)
    parser.add_argument("--model-type", required=True, choices=[kind.value for kind in ModelType])
    parser.add_argument("--run-id", required=True)
    options = parser.parse_args(arguments)
    settings = StepSettings()
    try:
        with open_client(settings) as client:
            name = register_run(
                client,
                open_artifacts(),
                settings,
                model_type=ModelType(options.model_type),
                run_id=options.run_id,
                signing_key=PackageSettings().require_signing_key(),
            )
    except ShieldError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    say(f"{name or 'Nothing waits to be registered.'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
