"""The weekly retraining as a TrainJob of Kubeflow Trainer; the chart's CronJob runs this.

    python -m pipelines.trainjob --template sms.json --job-name NAME --job-uid UID

The TrainJob gets the name of the Job that submits it, which is also the run's id: a second try of
the Job finds the TrainJob that is there and waits for it, so one week is one run. The Job owns it,
so it goes when the Job's history goes. The exit code is the TrainJob's end.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from shield.errors import Conflict, Misconfigured, NotFound, ShieldError, Unavailable
from shield.kube import Kube, Object

GROUP_VERSION = "trainer.kubeflow.org/v1alpha1"
RUN_ID = "RUN_ID"
_POLL_SECONDS = 5.0


def trainjob(template: Object, job_name: str, job_uid: str) -> Object:
    """Return the TrainJob of one run."""
    spec = template["spec"]
    trainer = spec["trainer"]
    environment = [*trainer.get("env", []), {"name": RUN_ID, "value": job_name}]
    owner = {"apiVersion": "batch/v1", "kind": "Job", "name": job_name, "uid": job_uid}
    return {
        **template,
        "metadata": {**template["metadata"], "name": job_name, "ownerReferences": [owner]},
        "spec": {**spec, "trainer": {**trainer, "env": environment}},
    }


def submit(kube: Kube, desired: Object) -> Object:
    """Create a TrainJob, or return the one of its name that is there.

    Raises:
        Misconfigured: The cluster has no TrainJobs.
        ShieldError: As `Kube.call`.
    """
    try:
        return kube.create(_path(kube), desired)
    except Conflict:
        return kube.get(_path(kube, desired["metadata"]["name"]))
    except NotFound as error:
        raise Misconfigured(
            f"The cluster does not know {GROUP_VERSION} TrainJobs. Install Kubeflow Trainer 2, or "
            "set pipeline.engine to cronjob."
        ) from error


def ended(job: Object) -> tuple[bool, str] | None:
    """Return whether a TrainJob succeeded and what it says, or None while it goes on."""
    for condition in job.get("status", {}).get("conditions", []):
        if condition["type"] in {"Complete", "Failed"} and condition["status"] == "True":
            return condition["type"] == "Complete", str(condition.get("message", ""))
    return None


def wait(kube: Kube, name: str, sleep: Callable[[float], None] = time.sleep) -> tuple[bool, str]:
    """Wait for the end of a TrainJob; an API server that is away for a while is waited for.

    Raises:
        NotFound: Somebody deleted it.
    """
    while True:
        try:
            end = ended(kube.get(_path(kube, name)))
        except Unavailable:
            end = None
        if end is not None:
            return end
        sleep(_POLL_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Submit, wait, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m pipelines.trainjob", description=__doc__)
    parser.add_argument("--template", type=Path, required=True, help="the TrainJob (JSON)")
    parser.add_argument("--job-name", required=True, help="of the Job that submits; the run's id")
    parser.add_argument("--job-uid", required=True, help="of the same Job, which owns the TrainJob")
    options = parser.parse_args(arguments)
    try:
        desired = trainjob(_read(options.template), options.job_name, options.job_uid)
        kube = Kube.connect(desired["metadata"].get("namespace"))
        submit(kube, desired)
        sys.stderr.write(f"TrainJob {options.job_name} runs\n")
        succeeded, said = wait(kube, options.job_name)
    except ShieldError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(
        f"TrainJob {options.job_name} {'completed' if succeeded else 'failed'}: {said}\n"
    )
    return 0 if succeeded else 1


def _read(path: Path) -> Object:
    try:
        document: Any = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Misconfigured(f"{path} cannot be read ({error}). Check --template.") from error
    if not isinstance(document, dict) or "trainer" not in document.get("spec", {}):
        raise Misconfigured(f"{path} is no TrainJob with a trainer. Check --template.")
    return document


def _path(kube: Kube, name: str = "") -> str:
    path = f"/apis/{GROUP_VERSION}/namespaces/{kube.namespace}/trainjobs"
    return f"{path}/{name}" if name else path


if __name__ == "__main__":
    sys.exit(main())
