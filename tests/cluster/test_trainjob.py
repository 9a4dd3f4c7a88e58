"""The engine `trainjob`: a CronJob's pod submits one TrainJob a week and waits for its end."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.trainjob import ended, main, submit, trainjob, wait
from shield.errors import Misconfigured, NotFound
from shield.kube import Kube
from tests.support.chart import Object, one, pods_of, rendered
from tests.support.controlplane import ControlPlane
from tests.support.crds import established, third_party_crds

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.cluster]
PATH = "/apis/trainer.kubeflow.org/v1alpha1"
ENGINE = ["--set", "pipeline.engine=trainjob"]


def template(*arguments: str, namespace: str = "shield") -> Object:
    """Return the TrainJob that the chart renders."""
    objects = rendered("gpu", *ENGINE, *arguments, namespace=namespace)
    content = one(objects, "ConfigMap", "-trainjob")["data"]["sms.json"]
    found: Object = json.loads(content)
    return found


@dataclass
class Place:
    """A namespace of a cluster that knows TrainJobs."""

    plane: ControlPlane
    kube: Kube
    namespace: str
    owner: str
    """UID of the Job that submits."""

    def submit(self) -> Object:
        wanted = trainjob(template(namespace=self.namespace), "learn-sms-1", self.owner)
        return submit(self.kube, wanted)

    def end(self, condition: str) -> None:
        """Report the end as Trainer's controller does."""
        moment = "2026-01-01T00:00:00Z"
        entry = {"type": condition, "status": "True", "reason": "JobsEnded", "message": "so it is"}
        patch = {"status": {"conditions": [{**entry, "lastTransitionTime": moment}]}}
        self.plane.run(
            *["patch", "trainjob", "learn-sms-1", "-n", self.namespace, "--subresource=status"],
            *["--type=merge", "-p", json.dumps(patch)],
        )


@pytest.fixture
def place(control_plane: ControlPlane) -> Iterator[Place]:
    established(control_plane, *(path for path in third_party_crds() if "trainer" in path.name))
    with control_plane.namespace() as namespace:
        pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {"name": "learn-sms-1", "namespace": namespace},
            "spec": {"suspend": True, "template": {"spec": pod}},
        }
        control_plane.apply(job)
        uid = control_plane.run(
            *["get", "job", "learn-sms-1", "-n", namespace, "-o", "jsonpath={.metadata.uid}"]
        )
        yield Place(control_plane, control_plane.connect(namespace), namespace, uid)


def test_the_trainjob_runs_the_compiled_pipeline_on_the_runtime_of_the_chart() -> None:
    made = trainjob(template("--set", "pipeline.parameters.epochs=2"), "learn-sms-1", "uid-1")
    assert made["spec"]["runtimeRef"]["name"] == "antispam-shield-training"
    assert made["spec"]["trainer"]["env"] == [{"name": "RUN_ID", "value": "learn-sms-1"}]
    arguments = made["spec"]["trainer"]["args"]
    assert arguments[:5] == ["python", "-m", "pipelines.run", "--model-type", "sms"]
    assert arguments[arguments.index("--run-id") + 1] == "$(RUN_ID)"
    assert "epochs=2" in arguments
    runtime = one(rendered("gpu", *ENGINE), "TrainingRuntime")
    (part,) = runtime["spec"]["template"]["spec"]["replicatedJobs"]
    pod = part["template"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert (part["name"], container["name"]) == ("node", "node"), "the names that Trainer fills in"
    assert container["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert pod["nodeSelector"] == {"accelerator": "nvidia"}
    assert {"trusted", "api-token", "scratch", "secrets"} == {one["name"] for one in pod["volumes"]}
    assert "RUN_ID" not in {entry["name"] for entry in container["env"]}


def test_the_api_server_takes_all_of_it_and_the_account_may_no_more_than_submit(
    place: Place, tmp_path: Path
) -> None:
    objects = rendered("gpu", *ENGINE, namespace=place.namespace)
    mine = [
        found
        for found in objects
        if "trainjob" in found["metadata"].get("labels", {}).values()
        or found["kind"] == "TrainingRuntime"
    ]
    file = tmp_path / "trainer.yaml"
    file.write_text(yaml.safe_dump_all(mine))
    place.plane.run("apply", "--server-side", "--validate=strict", "-f", str(file))
    crons = [found for found in mine if found["kind"] == "CronJob"]
    assert len(crons) == 3
    for cron in crons:
        (pod,) = pods_of(cron)
        assert pod["automountServiceAccountToken"] is False
        assert pod["initContainers"][0]["securityContext"]["readOnlyRootFilesystem"] is True
    account = f"--as=system:serviceaccount:{place.namespace}:antispam-shield-trainjob"

    def may(verb: str, resource: str) -> bool:
        line = ["auth", "can-i", verb, resource, "-n", place.namespace, account]
        return place.plane.run(*line, check=False).startswith("yes")

    assert may("create", "trainjobs.trainer.kubeflow.org")
    assert may("get", "trainjobs.trainer.kubeflow.org")
    for verb, resource in [("delete", "trainjobs.trainer.kubeflow.org"), ("get", "secrets")]:
        assert not may(verb, resource)


def test_submitting_twice_is_one_trainjob_that_the_job_owns(place: Place) -> None:
    first, second = place.submit(), place.submit()
    assert first["metadata"]["uid"] == second["metadata"]["uid"]
    (owner,) = first["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("Job", place.owner)


@pytest.mark.parametrize(("condition", "code"), [("Complete", 0), ("Failed", 1)])
def test_the_exit_code_is_the_end_of_the_trainjob(
    place: Place,
    tmp_path: Path,
    condition: str,
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "sms.json"
    file.write_text(json.dumps(template(namespace=place.namespace)))
    monkeypatch.setenv("KUBECONFIG", str(place.plane.kubeconfig))
    place.submit()
    reporter = threading.Timer(0.5, place.end, [condition])
    reporter.start()
    line = ["--template", str(file), "--job-name", "learn-sms-1", "--job-uid", place.owner]
    assert main(line) == code
    reporter.join()
    assert "so it is" in capsys.readouterr().err


def test_a_trainjob_that_somebody_deleted_is_not_waited_for(place: Place) -> None:
    with pytest.raises(NotFound):
        wait(place.kube, "nothing")


def test_a_suspended_trainjob_has_not_ended() -> None:
    waiting: dict[str, Any] = {"type": "Suspended", "status": "True", "message": ""}
    assert ended({"status": {"conditions": [waiting]}}) is None
    assert ended({}) is None


def test_without_trainer_the_cure_is_named(control_plane: ControlPlane) -> None:
    kube = control_plane.connect("default")
    wanted = trainjob(template(namespace="default"), "x", "y")
    unknown = {**wanted, "apiVersion": "trainer.kubeflow.org/v1alpha1"}
    served = "trainer.kubeflow.org" in control_plane.run("api-versions")
    if served:
        control_plane.run("delete", "crd", "trainjobs.trainer.kubeflow.org")
    with pytest.raises(Misconfigured, match="Install Kubeflow Trainer 2"):
        submit(kube, unknown)
