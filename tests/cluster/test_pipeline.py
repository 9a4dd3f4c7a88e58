"""The pipeline on the control plane: what the chart tells the deployment, and native objects."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from pipelines.deploy import DeploymentConfig
from pipelines.kfp_api import TIMEOUTS, TRIES
from pipelines.kubernetes import compile_for_cluster
from pipelines.native import apply_native, native_objects
from tests.support.chart import ROOT, one, rendered
from tests.support.controlplane import ControlPlane
from tests.support.crds import HERE as CRDS
from tests.support.crds import established

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.cluster]


def deployment(*arguments: str) -> str:
    """Return the deployment file that the chart renders."""
    found = one(rendered("kubeflow", *arguments), "ConfigMap", "antispam-shield-pipeline")
    return str(found["data"]["deployment.json"])


@pytest.fixture
def kfp_kinds(control_plane: ControlPlane) -> ControlPlane:
    established(control_plane, CRDS)
    return control_plane


def test_the_chart_renders_a_deployment_that_the_command_understands() -> None:
    arguments = ["--set", "pipeline.gpu.enabled=true", "--set", "pipeline.parameters.epochs=3"]
    arguments += ["--set", "pipeline.schedules.voice=0 5 1 * *"]
    config = DeploymentConfig.model_validate_json(deployment(*arguments))
    crons = {
        schedule.name.removeprefix("antispam-shield-"): schedule.cron
        for schedule in config.schedules()
    }
    assert crons == {
        "sms": "0 3 * * 1",
        "phishing": "0 3 * * 1",
        "voice": "0 5 1 * *",
        **{f"drift-{type_}": "30 4 * * *" for type_ in ("sms", "phishing", "voice")},
    }
    assert config.schedules()[0].parameters == {"trigger": "schedule", "epochs": 3}
    assert config.service_account == "antispam-shield-pipeline"
    assert config.kubernetes.accelerator_type == "nvidia.com/gpu"
    assert config.kubernetes.api_url == "http://antispam-shield-api.shield.svc:8000"
    assert config.kubernetes.signing_secret == "antispam-shield-signing"


def test_kubectl_applies_the_native_objects_that_the_command_prints(
    kfp_kinds: ControlPlane, tmp_path: Path
) -> None:
    config = tmp_path / "deployment.json"
    config.write_text(json.dumps({**json.loads(deployment()), "namespace": "default"}))
    done = subprocess.run(
        [sys.executable, "-m", "pipelines.deploy", "native", "--config", str(config)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for _ in range(2):  # the second time changes nothing
        kfp_kinds.run(
            *["apply", "--server-side", "--validate=strict", "-f", "-"], stdin=done.stdout
        )
    pipeline, version, watch, look = (json.loads(line) for line in done.stdout.splitlines())
    assert look["spec"]["pipelineName"] == watch["metadata"]["name"] == "drift-watch"
    kept = kfp_kinds.get("pipelineversion", version["metadata"]["name"], "-n", "default")
    assert kept["spec"]["pipelineSpec"] == version["spec"]["pipelineSpec"]
    assert kept["spec"]["pipelineSpec"]["pipelineInfo"]["name"] == pipeline["metadata"]["name"]
    executors = kept["spec"]["platformSpec"]["platforms"]["kubernetes"]["deploymentSpec"]
    assert executors["executors"]["exec-train"]["activeDeadlineSeconds"] == "21600"
    kfp_kinds.run("delete", "pipelineversions,pipelines", "--all", "-n", "default")


def test_the_job_makes_what_is_missing_and_names_what_is_there_by_its_ids(
    kfp_kinds: ControlPlane, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBECONFIG", str(kfp_kinds.kubeconfig))
    config = DeploymentConfig.model_validate_json(deployment())
    package = compile_for_cluster(config.kubernetes, tmp_path / "pipeline.yaml")
    objects = native_objects(package, "default")
    # As `kubectl apply` leaves them where KFP's webhook is not installed: without owner and label.
    kfp_kinds.run("apply", "--server-side", "-f", "-", stdin="\n".join(map(json.dumps, objects)))
    first = apply_native(objects)
    assert apply_native(objects) == first
    kept = kfp_kinds.get("pipelineversion", first[2], "-n", "default")
    pipeline = kfp_kinds.get("pipeline", "weekly-retraining", "-n", "default")
    assert first[:2] == (pipeline["metadata"]["uid"], kept["metadata"]["uid"])
    # KFP's API server lists the versions of a pipeline by this label, and reads the owner's id.
    assert kept["metadata"]["labels"]["pipelines.kubeflow.org/pipeline-id"] == first[0]
    assert kept["metadata"]["ownerReferences"][0]["uid"] == first[0]
    other = config.kubernetes.model_copy(update={"timeout_seconds": 60})
    package = compile_for_cluster(other, tmp_path / "other.yaml")
    assert apply_native(native_objects(package, "default"))[0] == first[0]
    listed = yaml.safe_load(kfp_kinds.run("get", "pipelineversions", "-n", "default", "-oyaml"))
    assert len(listed["items"]) == 2
    assert {
        item["metadata"]["labels"]["pipelines.kubeflow.org/pipeline-id"] for item in listed["items"]
    } == {first[0]}
    kfp_kinds.run("delete", "pipelineversions,pipelines", "--all", "-n", "default")


def test_the_delete_hook_outlasts_every_try_of_a_server_that_never_answers() -> None:
    (job,) = (
        found
        for found in rendered("kubeflow")
        if found["kind"] == "Job"
        and "helm.sh/hook" in found["metadata"].get("annotations", {})
        and "delete" in found["metadata"]["name"]
    )
    tries = job["spec"]["backoffLimit"] + 1
    assert TIMEOUTS[1] * TRIES * tries < job["spec"]["activeDeadlineSeconds"] - 30
