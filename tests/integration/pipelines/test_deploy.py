"""What the chart's Job does: its file, the pipeline as the cluster needs it, the command."""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from cli.main import main as cli
from pipelines.deploy import DeploymentConfig, main, read_config
from pipelines.drift_graph import build_watch
from pipelines.graph import STEPS, build
from pipelines.kubernetes import (
    MIRRORS_FOLDER,
    SECRETS_FOLDER,
    ClusterSettings,
    Toleration,
    compile_for_cluster,
)
from shield.errors import Misconfigured
from tests.support.kfp import KfpServer


def settings(**changes: Any) -> ClusterSettings:
    return ClusterSettings(
        **{
            "pipeline_image": "registry.test/pipeline:1",
            "training_image": "registry.test/training:1",
            "api_url": "http://api:8000",
            "artifacts_root": "s3://bucket",
            "artifacts_secret": "s3-keys",
            "signing_secret": "signing",
            "trusted_secret": "trusted",
            **changes,
        }
    )


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return (executors of the IR, executors of its Kubernetes part)."""
    wanted = settings(
        accelerator_type="nvidia.com/gpu",
        node_selector={"pool": "gpu"},
        tolerations=[
            Toleration.model_validate(
                {"key": "spot", "operator": "Exists", "tolerationSeconds": 300}
            ),
        ],
        resources={"requests": {"cpu": "2", "memory": "4Gi"}, "limits": {"memory": "8Gi"}},
        image_pull_secrets=["registry"],
        mlflow_url="http://mlflow:5000",
        model_registry_url="http://registry:8080",
        mirrors_secret="mirrors",
        timeout_seconds=7200,
    )
    path = compile_for_cluster(wanted, tmp_path_factory.mktemp("ir") / "pipeline.yaml")
    ir, platform = yaml.safe_load_all(path.read_text())
    executors = ir["deploymentSpec"]["executors"]
    return executors, platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]


def test_every_step_has_its_image_and_no_other_is_named(compiled: Any) -> None:
    executors, _ = compiled
    assert {f"exec-{step.replace('_', '-')}" for step in STEPS} <= set(executors)
    used = {executor["container"]["image"] for executor in executors.values()}
    assert used == {"registry.test/pipeline:1", "registry.test/training:1"}
    assert executors["exec-train"]["container"]["image"] == "registry.test/training:1"


def test_only_the_step_that_registers_knows_where_versions_are_mirrored(compiled: Any) -> None:
    executors, kubernetes = compiled
    for name, executor in executors.items():
        told = {one["name"]: one["value"] for one in executor["container"].get("env", [])}
        mounted = {one["secretName"] for one in kubernetes[name].get("secretAsVolume", [])}
        registers = name == "exec-register"
        assert (told.get("MLFLOW_TRACKING_URI") == "http://mlflow:5000") is registers, name
        assert (told.get("SHIELD_MODEL_REGISTRY_URL") == "http://registry:8080") is registers, name
        assert ("mirrors" in mounted) is registers, name
        folders = f"{SECRETS_FOLDER}:{MIRRORS_FOLDER}" if registers else SECRETS_FOLDER
        assert told["SHIELD_SECRETS"] == folders


def test_only_training_asks_for_the_gpu_and_its_nodes(compiled: Any) -> None:
    executors, kubernetes = compiled
    for name, executor in executors.items():
        accelerator = executor["container"].get("resources", {}).get("accelerator")
        assert (accelerator is not None) == (name == "exec-train"), name
        assert ("tolerations" in kubernetes[name]) == (name == "exec-train"), name
        assert ("nodeSelector" in kubernetes[name]) == (name == "exec-train"), name
    resources = executors["exec-train"]["container"]["resources"]
    assert resources["accelerator"]["resourceType"] == "nvidia.com/gpu"
    assert resources["resourceMemoryLimit"] == "8Gi"
    (toleration,) = kubernetes["exec-train"]["tolerations"]
    assert int(toleration["tolerationSeconds"]) == 300


def test_only_register_holds_the_signing_key(compiled: Any) -> None:
    executors, kubernetes = compiled
    for name, executor in kubernetes.items():
        secrets = {volume["secretName"] for volume in executor["secretAsVolume"]}
        assert ("signing" in secrets) == (name == "exec-register"), name
        assert "trusted" in secrets
    signing = [
        name
        for name, executor in executors.items()
        for entry in executor["container"]["env"]
        if entry["name"] == "SHIELD_SIGNING_KEY"
    ]
    assert signing == ["exec-register"]


def test_every_step_has_keys_a_time_limit_a_token_and_no_root(compiled: Any) -> None:
    _, kubernetes = compiled
    for name, executor in kubernetes.items():
        assert executor["activeDeadlineSeconds"] == "7200", name
        assert executor["podMetadata"]["labels"] == {"antispamshield.io/api-token": "true"}
        assert executor["securityContext"]["runAsNonRoot"] is True
        assert "secretAsEnv" not in executor, name
        (keys,) = [one for one in executor["secretAsVolume"] if one["secretName"] == "s3-keys"]
        assert keys["mountPath"] == "/etc/antispam-shield/secrets"
        assert executor["imagePullSecret"][0]["secretName"] == "registry"


@pytest.mark.parametrize("graph", [build, build_watch], ids=["weekly", "watch"])
def test_no_step_loses_a_try_to_the_time_that_argo_allows_for_all_of_them(
    tmp_path: Path, graph: Any
) -> None:
    path = compile_for_cluster(settings(timeout_seconds=7200), tmp_path / "pipeline.yaml", graph)
    ir, platform = yaml.safe_load_all(path.read_text())
    executors = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    tasks = every_task(ir)
    for step in (*STEPS, "baseline", "finish_run"):
        name = step.replace("_", "-")
        policy = tasks[name]["retryPolicy"]
        tries = policy["maxRetryCount"] + 1
        allowed = int(policy["backoffMaxDuration"].removesuffix("s"))
        deadline = int(executors[f"exec-{name}"]["activeDeadlineSeconds"])
        # Argo counts from the start of the first try, and stops the running one at the end.
        assert allowed >= tries * deadline, f"{step}: {allowed} s for {tries} tries of {deadline} s"


def every_task(ir: dict[str, Any]) -> dict[str, Any]:
    tasks: dict[str, Any] = {}
    for part in [ir["root"], *ir["components"].values()]:
        tasks |= part.get("dag", {}).get("tasks", {})
    return tasks


def test_every_task_is_tried_again_and_effects_are_never_cached(tmp_path: Path) -> None:
    path = compile_for_cluster(settings(), tmp_path / "pipeline.yaml")
    tasks = every_task(next(yaml.safe_load_all(path.read_text())))
    for step in (*STEPS, "finish_run"):
        assert tasks[step.replace("_", "-")]["retryPolicy"]["maxRetryCount"] == 2
    for step in ("collect", "register", "request-rollout", "finish-run"):
        assert not tasks[step].get("cachingOptions", {}).get("enableCache")
    assert tasks["train"]["cachingOptions"]["enableCache"] is True


def deployment(cron: str = "0 3 * * 1") -> dict[str, Any]:
    kubernetes = settings().model_dump(by_alias=True, mode="json")
    return {"runs": {"sms": {"cron": cron}}, "namespace": "team", "kubernetes": kubernetes}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "deployment.json"
    path.write_text(json.dumps(deployment()))
    return path


def test_the_command_deploys_compares_and_deletes(
    kfp: KfpServer, config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def call(action: str) -> list[dict[str, Any]]:
        assert main([action, "--host", kfp.url, "--config", str(config)]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert [found["action"] for found in call("deploy")] == ["created"]
    assert [found["action"] for found in call("deploy")] == ["unchanged"]
    (shown,) = call("status")
    assert (shown["name"], shown["cron"]) == ("antispam-shield-sms", "0 0 3 * * 1")
    (experiment,) = kfp.experiments.values()
    assert experiment["namespace"] == "team"
    assert [found["action"] for found in call("delete")] == ["deleted"]
    assert [found["action"] for found in call("status")] == ["missing"]


def shieldctl(
    capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0
) -> list[dict[str, Any]]:
    with pytest.raises(SystemExit) as done:
        cli(["--json", "pipeline", *arguments])
    written = capsys.readouterr()
    assert done.value.code == code, written.err
    return list(json.loads(written.out)) if written.out else [json.loads(written.err)]


TYPES = ("sms", "phishing", "voice")


def test_shieldctl_needs_a_host_alone_for_a_weekly_run_and_a_daily_look_per_model_type(
    kfp: KfpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    there = ["--host", kfp.url]
    made = shieldctl(capsys, "deploy", *there)
    assert [(found["name"], found["action"], found["cron"]) for found in made] == [
        (f"antispam-shield-{kind}{type_}", "created", cron)
        for kind, cron in (("", "0 0 3 * * 1"), ("drift-", "0 30 4 * * *"))
        for type_ in TYPES
    ]
    assert {found["name"] for found in kfp.pipelines.values()} == {
        "weekly-retraining",
        "drift-watch",
    }
    kfp.writes.clear()
    assert {found["action"] for found in shieldctl(capsys, "deploy", *there)} == {"unchanged"}
    assert kfp.writes == []
    assert len(shieldctl(capsys, "deployed", *there)) == 6
    assert {found["action"] for found in shieldctl(capsys, "undeploy", *there)} == {"deleted"}
    assert kfp.recurring_runs == {}


def test_shieldctl_changes_the_cron_the_types_and_the_pipeline(
    kfp: KfpServer, config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = ["--host", kfp.url, "--config", str(config)]
    shieldctl(capsys, "deploy", *there)
    (moved,) = shieldctl(capsys, "deploy", *there, "--cron", "30 4 * * 2")
    assert (moved["action"], moved["cron"]) == ("replaced", "0 30 4 * * 2")
    both = ["--type", "sms", "--type", "voice", "--cron", "30 4 * * 2"]
    found = shieldctl(capsys, "deploy", *there, *both)
    assert [(one["name"], one["action"]) for one in found] == [
        ("antispam-shield-sms", "unchanged"),
        ("antispam-shield-voice", "created"),
    ]
    (voice,) = shieldctl(capsys, "deploy", *there, "--type", "voice", "--cron", "30 4 * * 7")
    assert (voice["action"], voice["cron"]) == ("replaced", "0 30 4 * * 0")
    assert len(kfp.recurring_runs) == 2, "a filter by type must leave the other types' runs alone"
    (back,) = shieldctl(capsys, "deploy", *there, "--type", "voice", "--cron", "30 4 * * 2")
    assert back["action"] == "replaced"
    shown = shieldctl(capsys, "deployed", *there)
    assert {one["name"]: one["differs"] for one in shown} == {
        "antispam-shield-sms": ["cron"],
        "antispam-shield-voice": ["not in the configuration"],
    }
    package = compile_for_cluster(settings(timeout_seconds=60), tmp_path / "other.yaml")
    found = shieldctl(capsys, "deploy", *there, *both, "--package", str(package))
    assert {one["action"] for one in found} == {"replaced"}
    assert len(kfp.versions) == 2
    assert len(kfp.pipelines) == 1


def test_the_watch_runs_its_own_pipeline_and_goes_when_it_is_no_longer_wanted(
    kfp: KfpServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "deployment.json"
    watched = {
        **deployment(),
        "watches": {"sms": {"cron": "30 4 * * *", "parameters": {"seed": 7}}},
    }
    path.write_text(json.dumps(watched))
    there = ["--host", kfp.url, "--config", str(path)]
    weekly, watch = shieldctl(capsys, "deploy", *there, "--cron", "0 1 * * 3")
    assert (weekly["name"], weekly["cron"]) == ("antispam-shield-sms", "0 0 1 * * 3")
    assert (watch["name"], watch["cron"]) == ("antispam-shield-drift-sms", "0 30 4 * * *")
    assert watch["version"].startswith("drift-watch-")
    kept = {run["display_name"]: run for run in kfp.recurring_runs.values()}
    mine = kept["antispam-shield-drift-sms"]
    assert mine["runtime_config"]["parameters"] == {"model_type": "sms", "seed": 7}
    references = {run["pipeline_version_reference"]["pipeline_version_id"] for run in kept.values()}
    assert len(references) == 2
    path.write_text(json.dumps(deployment()))
    found = shieldctl(capsys, "deploy", *there, "--cron", "0 1 * * 3")
    assert [(one["name"], one["action"]) for one in found] == [
        ("antispam-shield-sms", "unchanged"),
        ("antispam-shield-drift-sms", "deleted"),
    ]


def test_the_compiled_watch_carries_what_the_cluster_needs_as_the_weekly_pipeline_does(
    tmp_path: Path,
) -> None:
    wanted = settings(accelerator_type="nvidia.com/gpu")
    path = compile_for_cluster(wanted, tmp_path / "watch.yaml", build_watch)
    ir, platform = yaml.safe_load_all(path.read_text())
    executors = ir["deploymentSpec"]["executors"]
    assert {f"exec-{step.replace('_', '-')}" for step in (*STEPS, "drift_watch")} <= set(executors)
    asking = {
        name
        for name, executor in executors.items()
        if "accelerator" in executor["container"].get("resources", {})
    }
    assert asking == {"exec-train"}, "a look needs no GPU"
    kubernetes = platform["platforms"]["kubernetes"]["deploymentSpec"]["executors"]
    for name, executor in kubernetes.items():
        assert executor["activeDeadlineSeconds"] == "21600", name
        assert executor["podMetadata"]["labels"] == {"antispamshield.io/api-token": "true"}


def test_shieldctl_refuses_a_six_field_cron_in_one_sentence(
    kfp: KfpServer, capsys: pytest.CaptureFixture[str]
) -> None:
    line = ["deploy", "--host", kfp.url, "--cron", "0 0 3 * * 1"]
    (problem,) = shieldctl(capsys, *line, code=1)
    assert "has 6 fields. Use five" in problem["detail"]
    assert kfp.writes == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{}", "runs"),
        (json.dumps({**deployment(), "extra": 1}), "extra"),
        (json.dumps({**deployment(), "runs": {"mms": {"cron": "0 3 * * 1"}}}), "runs"),
        ("not json", "Invalid JSON"),
    ],
)
def test_a_wrong_file_is_named_with_the_place_that_is_wrong(
    tmp_path: Path, content: str, said: str
) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(content)
    with pytest.raises(Misconfigured, match=said):
        read_config(path)


def test_a_wrong_cron_is_one_sentence_and_exit_code_1(
    kfp: KfpServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "deployment.json"
    path.write_text(json.dumps(deployment("0 0 3 * * 1")))
    assert main(["deploy", "--host", kfp.url, "--config", str(path)]) == 1
    said = capsys.readouterr().err.strip()
    assert "has 6 fields. Use five" in said
    assert "\n" not in said
    assert kfp.writes == []


def test_a_missing_host_or_file_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["status"]) == 1
    assert "--host" in capsys.readouterr().err
    assert main(["deploy", "--host", "http://x", "--config", "/nowhere.json"]) == 1
    assert "/nowhere.json" in capsys.readouterr().err


def test_all_settings_of_the_file_are_read(config: Path) -> None:
    found = read_config(config)
    assert isinstance(found, DeploymentConfig)
    assert found.schedules()[0].arguments() == {"model_type": "sms", "trigger": "schedule"}
    assert found.schedules(own=False)[0].arguments() == {"model_type": "sms"}
    assert found.kubernetes.training_image == "registry.test/training:1"


def test_a_wrong_parameter_in_the_file_is_refused_before_anything_is_sent(
    kfp: KfpServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "deployment.json"
    wrong = {"sms": {"cron": "0 3 * * 1", "parameters": {"epoch": 4}}}
    path.write_text(json.dumps({**deployment(), "runs": wrong}))
    (problem,) = shieldctl(capsys, "deploy", "--host", kfp.url, "--config", str(path), code=1)
    assert "There is no parameter epoch." in problem["detail"]
    assert kfp.writes == []


def test_shieldctl_refuses_a_wrong_parameter_before_it_makes_a_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as done:
        cli(
            [
                "--json",
                "--data-dir",
                str(tmp_path / "home"),
                "pipeline",
                "run",
                "sms",
                "--set",
                "epoch=4",
            ]
        )
    assert done.value.code == 1
    assert "There is no parameter epoch." in capsys.readouterr().err
    assert not (tmp_path / "home").exists()
