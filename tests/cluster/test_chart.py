"""The chart on a real control plane: what Helm does with it, and what the API server says of it."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml
from starlette.requests import HTTPConnection

from api.kit.limits import Limiter
from api.settings import ApiSettings
from pipelines.deploy import DeploymentConfig
from shield.gates import GateLimits
from shield.retraining import parsed
from tests.support.chart import CHART, ROOT, one, pods_of, rendered, values_file
from tests.support.controlplane import ControlPlane
from tests.support.crds import established, third_party_crds
from tests.support.waiting import PATIENCE

pytestmark = [pytest.mark.xdist_group("cluster"), pytest.mark.cluster]
RELEASE = "antispam-shield"
Helm = Callable[..., str]


@pytest.fixture
def restricted(control_plane: ControlPlane) -> Iterator[str]:
    """A namespace that admits restricted pods alone."""
    name = f"chart-{time.time_ns() % 10**9}"
    level = "pod-security.kubernetes.io/enforce"
    labels = {level: "restricted"}
    control_plane.apply(
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}}
    )
    yield name
    control_plane.run("delete", "namespace", name, "--wait=false")


@pytest.fixture
def helm(control_plane: ControlPlane, restricted: str) -> Iterator[Helm]:
    """Call helm in the restricted namespace; the release is gone afterwards."""

    def call(*arguments: str, check: bool = True) -> str:
        command = [str(control_plane.helm), *arguments, "--namespace", restricted]
        command += ["--kubeconfig", str(control_plane.kubeconfig)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert not check or done.returncode == 0, done.stderr
        return done.stdout + done.stderr

    yield call
    call("uninstall", RELEASE, "--ignore-not-found", "--wait", "--timeout", PATIENCE)


def install(helm: Helm, values: str = "trial", *arguments: str, action: str = "install") -> str:
    options = ["--wait", "--timeout", PATIENCE, "--values", str(values_file(values))]
    return helm(action, RELEASE, str(CHART), *options, *arguments)


def names(plane: ControlPlane, namespace: str, kind: str) -> set[str]:
    listed = plane.run("get", kind, "--namespace", namespace, "--output", "name")
    return {line.partition("/")[2] for line in listed.splitlines()}


def test_install_upgrade_roll_back_and_uninstall(
    control_plane: ControlPlane, helm: Helm, restricted: str
) -> None:
    notes = install(helm)
    assert f"kubectl -n {restricted} get modelrollouts -w" in notes
    assert "Reviewers sign in at http://127.0.0.1:8000/review" in notes
    assert "SHIELD_PAGES_TOKEN_LOGIN=true" in notes, "no OIDC provider is named"
    deployments = names(control_plane, restricted, "deployments")
    assert deployments == {"antispam-shield-api", "antispam-shield-operator"}
    ready = control_plane.run(
        *["get", "pods", "--namespace", restricted, "--output"],
        "jsonpath={.items[*].status.phase}",
    )
    assert set(ready.split()) <= {"Running", "Succeeded"}
    jobs = names(control_plane, restricted, "jobs")
    secrets = ["antispam-shield-trial", "antispam-shield-trial-artifacts"]
    before = [control_plane.run("get", "secret", s, "-n", restricted, "-oyaml") for s in secrets]

    # A Job cannot be changed: whatever changes its pods must change its name too.
    other = "api.rateStorage=redis://redis,artifacts.region=eu-1,commonLabels.team=a"
    install(helm, "trial", "--set", f"image.tag=0.2.0,{other}", action="upgrade")
    image = control_plane.run(
        *["get", "deployment", "antispam-shield-api", "-n", restricted, "--output"],
        "jsonpath={.spec.template.spec.containers[0].image}",
    )
    assert image == "ghcr.io/antispam-shield/api:0.2.0"
    assert not names(control_plane, restricted, "jobs") & jobs, "a new image migrates anew"
    after = [control_plane.run("get", "secret", s, "-n", restricted, "-oyaml") for s in secrets]
    for secret, kept in zip(before, after, strict=True):
        assert yaml.safe_load(kept)["data"] == yaml.safe_load(secret)["data"], "passwords are kept"

    helm("rollback", RELEASE, "1", "--wait", "--timeout", PATIENCE)
    assert jobs <= names(control_plane, restricted, "jobs")

    helm("uninstall", RELEASE, "--wait", "--timeout", PATIENCE)
    kinds = ("deployments", "statefulsets", "services", "cronjobs", "networkpolicies", "roles")
    for kind in (*kinds, "leases"):
        assert names(control_plane, restricted, kind) == set(), kind
    crds = control_plane.run("get", "crd", "--output", "name")
    assert "modelrollouts.antispamshield.io" in crds, "the CRD and the rollouts are kept"
    leftovers = control_plane.run("get", "clusterroles,clusterrolebindings", "--output", "name")
    assert restricted not in leftovers


def test_on_kubeflow_the_recurring_runs_are_deployed_and_taken_back_by_jobs(
    control_plane: ControlPlane, helm: Helm, restricted: str
) -> None:
    established(control_plane, *third_party_crds())
    install(helm, "kubeflow")
    component = "app.kubernetes.io/component=pipeline-deploy"

    def deploying() -> set[str]:
        listed = control_plane.get("jobs", "-n", restricted, "-l", component)
        return {found["metadata"]["name"] for found in listed["items"]}

    (first,) = deploying()
    assert names(control_plane, restricted, "cronjobs") == set()
    install(helm, "kubeflow", "--set", "pipeline.schedule=30 4 * * 2", action="upgrade")
    (second,) = deploying()
    assert second != first, "another schedule is deployed by another Job"
    helm("rollback", RELEASE, "1", "--wait", "--timeout", PATIENCE)
    assert deploying() == {first}
    helm("uninstall", RELEASE, "--wait", "--timeout", PATIENCE)
    events = control_plane.get("events", "-n", restricted)["items"]
    assert any("pipeline-delete" in found["involvedObject"]["name"] for found in events)
    assert deploying() == set(), "the Job that took the runs back is gone too"
    for kind in ("deployments", "virtualservices", "poddefaults", "servicemonitors", "roles"):
        assert names(control_plane, restricted, kind) == set(), kind


def test_whoever_cannot_uninstall_sees_why() -> None:
    """Helm prints the log of the Job that could not reach KFP, and leaves the Job for an hour."""
    hook = one(
        [found for found in rendered("kubeflow") if "-delete-" in found["metadata"]["name"]], "Job"
    )
    told = hook["metadata"]["annotations"]
    assert told["helm.sh/hook"] == "pre-delete"
    assert told["helm.sh/hook-output-log-policy"] == "hook-failed"
    assert "hook-failed" not in told["helm.sh/hook-delete-policy"]
    assert hook["spec"]["ttlSecondsAfterFinished"] == 3600


def test_a_rollout_survives_an_uninstall_and_does_not_hang_it(
    control_plane: ControlPlane, helm: Helm, restricted: str
) -> None:
    install(helm)
    version = {"name": "sms-v1", "digest": f"sha256:{'0' * 64}", "uri": "packages/sms/0"}
    control_plane.apply(
        {
            "apiVersion": "antispamshield.io/v1alpha1",
            "kind": "ModelRollout",
            "metadata": {"name": "sms", "namespace": restricted},
            "spec": {"modelType": "sms", "version": version},
        }
    )
    helm("uninstall", RELEASE, "--wait", "--timeout", PATIENCE)
    assert names(control_plane, restricted, "modelrollouts") == {"sms"}
    control_plane.run("delete", "modelrollout", "sms", "-n", restricted, f"--timeout={PATIENCE}")


def test_the_namespace_refuses_a_pod_that_is_not_restricted(
    control_plane: ControlPlane, restricted: str
) -> None:
    """Or the installation above would prove nothing."""
    said = control_plane.run(
        *["run", "loose", "--image=busybox", "--namespace", restricted, "--dry-run=server"],
        check=False,
    )
    assert "violates PodSecurity" in said


@pytest.mark.parametrize("setting", ["pipeline.engine=trainjob", "serving.backend=kserve"])
def test_the_other_engines_and_all_their_pods_are_admitted_to_a_restricted_namespace(
    control_plane: ControlPlane, helm: Helm, restricted: str, setting: str
) -> None:
    """Also the pods that the installation does not start: weekly ones and model servers."""
    established(control_plane, *third_party_crds())
    install(helm, "trial", "--set", setting)
    deployments = names(control_plane, restricted, "deployments")
    assert deployments == {"antispam-shield-api", "antispam-shield-operator"}
    admitted = 0
    for found in rendered("trial", "--set", setting):
        for spec in pods_of(found):
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "later"}, "spec": spec}
            create = ["create", "-f", "-", "--namespace", restricted, "--dry-run=server"]
            control_plane.run(*create, stdin=json.dumps(pod))
            admitted += 1
    assert admitted >= 10


MATRIX = {
    # (verb, resource): who may, of all our ServiceAccounts
    ("create", "modelrollouts.antispamshield.io"): {"api"},
    ("delete", "modelrollouts.antispamshield.io"): {"api"},
    ("get", "modelrollouts.antispamshield.io"): {"api", "operator"},
    ("patch", "modelrollouts.antispamshield.io/status"): {"operator"},
    ("create", "deployments.apps"): {"operator"},
    ("delete", "services"): {"operator"},
    ("update", "leases.coordination.k8s.io"): set(),  # all of them; its own, below
    ("create", "leases.coordination.k8s.io"): set(),
    ("create", "tokenreviews.authentication.k8s.io"): {"api"},
    ("create", "secrets"): {"keys"},
    ("get", "secrets"): set(),
    ("list", "secrets"): set(),
    ("delete", "secrets"): set(),
    ("create", "pods"): set(),
    ("create", "pods/exec"): set(),
    ("create", "jobs.batch"): set(),
    ("get", "nodes"): set(),
    ("create", "clusterroles.rbac.authorization.k8s.io"): set(),
    ("create", "rolebindings.rbac.authorization.k8s.io"): set(),
    ("impersonate", "serviceaccounts"): set(),
}


def test_every_account_may_do_what_it_needs_and_no_more(
    control_plane: ControlPlane, helm: Helm, restricted: str
) -> None:
    install(helm)
    accounts = {
        name.removeprefix(f"{RELEASE}-")
        for name in names(control_plane, restricted, "serviceaccounts")
        if name.startswith(RELEASE)
    }
    assert accounts == {"api", "operator", "model-server", "pipeline", "job", "keys"}
    for (verb, resource), allowed in MATRIX.items():
        may = {
            account
            for account in accounts
            if control_plane.run(
                *["auth", "can-i", verb, resource.partition("/")[0], "--namespace", restricted],
                f"--subresource={resource.partition('/')[2]}",
                f"--as=system:serviceaccount:{restricted}:{RELEASE}-{account}",
                check=False,
            ).startswith("yes")
        }
        assert may == allowed, (verb, resource)
    for verb in ("get", "update"):
        operator = f"--as=system:serviceaccount:{restricted}:{RELEASE}-operator"
        lease = f"leases.coordination.k8s.io/{RELEASE}-operator"
        asked = ["auth", "can-i", verb, lease, "--namespace", restricted, operator]
        assert control_plane.run(*asked).startswith("yes"), verb


def test_no_pod_carries_a_token_of_the_api_server_unless_it_uses_it() -> None:
    for found in rendered("trial"):
        for pod in pods_of(found):
            assert pod["automountServiceAccountToken"] is False
            mounted = any(volume["name"] == "kubernetes" for volume in pod["volumes"])
            account = pod.get("serviceAccountName", "").removeprefix(f"{RELEASE}-")
            assert mounted == (account in {"api", "operator", "keys"}), found["metadata"]["name"]


@pytest.mark.parametrize("values", ["trial", "kubeflow", "gpu"])
def test_every_container_has_a_read_only_root_limits_and_no_privileges(values: str) -> None:
    seen = 0
    for found in rendered(values):
        for pod in pods_of(found):
            assert pod["securityContext"]["runAsNonRoot"] is True
            for container in pod["containers"]:
                seen += 1
                security = container["securityContext"]
                assert security["readOnlyRootFilesystem"] is True
                assert security["allowPrivilegeEscalation"] is False
                assert security["capabilities"] == {"drop": ["ALL"]}
                assert container["resources"]["limits"]["memory"]
                assert container["resources"]["requests"]["cpu"]
    assert seen >= 7


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("apii.replicas=3", "apii"),
        ("api.replica=3", "replica"),
        ("api.replicas=two", "replicas"),
        ("pipeline.engine=airflow", "engine"),
        ("pipeline.schedule=0 0 3 * * 1", "schedule"),
        ("artifacts.root=/data", "root"),
        ("modelTypes={mms}", "modelTypes"),
        ("image.pullPolicy=Sometimes", "pullPolicy"),
        ("image.digests.apii=sha256:0", "apii"),
        ("api.resources.request.cpu=1", "request"),
        ("api.tolerations[0].keys=gpu", "keys"),
        ("pipeline.parameters.epoch=3", "epoch"),
        ("pipeline.schedules.mms=0 3 * * 1", "mms"),
        ("pipeline.schedules.sms=0 0 3 * * 1", "schedules"),
        ("pipeline.firstModels.types={mms}", "types"),
        ("pipeline.driftWatch.schedule=30 4 * *", "schedule"),
        ("pipeline.driftWatch.every=day", "every"),
    ],
)
def test_a_wrong_value_is_refused_by_its_name(
    control_plane: ControlPlane, setting: str, said: str
) -> None:
    command = [str(control_plane.helm), "template", RELEASE, str(CHART), "--set", setting]
    done = subprocess.run(
        [*command, "--values", str(values_file("trial"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert said in done.stderr


def test_without_a_database_the_chart_says_what_to_set(control_plane: ControlPlane) -> None:
    done = subprocess.run(
        [str(control_plane.helm), "template", RELEASE, str(CHART)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "database.existingSecret" in done.stderr
    assert "trial.postgresql.enabled=true" in done.stderr


def test_helm_lint_finds_nothing(control_plane: ControlPlane) -> None:
    command = [str(control_plane.helm), "lint", "--strict", str(CHART)]
    done = subprocess.run(
        [*command, "--values", str(values_file("kubeflow"))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "0 chart(s) failed" in done.stdout


def test_training_asks_for_the_gpu_it_is_given() -> None:
    pod = next(pods_of(one(rendered("gpu"), "CronJob", "learn-sms")))
    assert "nvidia.com/gpu" not in pod["containers"][0]["resources"]["limits"], "it only registers"
    assert pod["initContainers"][0]["resources"]["limits"]["nvidia.com/gpu"] == 1
    assert pod["nodeSelector"] == {"accelerator": "nvidia"}
    assert pod["tolerations"][0]["key"] == "nvidia.com/gpu"


def test_a_cronjob_never_overlaps_and_its_second_try_is_the_same_run() -> None:
    job = one(rendered("base"), "CronJob", "learn-voice")["spec"]
    assert (job["concurrencyPolicy"], job["timeZone"]) == ("Forbid", "Etc/UTC")
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["initContainers"]
    assert "$(RUN_ID)" in pod["containers"][0]["args"], "what is registered is the same run's"
    run_id = next(entry for entry in container["env"] if entry["name"] == "RUN_ID")
    path = "metadata.labels['batch.kubernetes.io/job-name']"
    assert run_id["valueFrom"]["fieldRef"]["fieldPath"] == path
    assert "$(RUN_ID)" in container["args"]


@pytest.mark.parametrize("engine", ["cronjob", "trainjob"])
def test_drift_is_looked_for_daily_by_a_cronjob_that_may_retrain(engine: str) -> None:
    arguments = ["--set", f"pipeline.engine={engine}", "--set", "pipeline.parameters.epochs=4"]
    job = one(rendered("base", *arguments), "CronJob", "drift-phishing")["spec"]
    assert (job["schedule"], job["concurrencyPolicy"]) == ("30 4 * * *", "Forbid")
    pod = job["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["initContainers"]
    assert container["args"][:5] == ["python", "-m", "pipelines.drift", "--model-type", "phishing"]
    assert container["args"][-2:] == ["--set", "epochs=4"]
    assert "$(RUN_ID)" in container["args"]
    assert pod["containers"][0]["args"][2] == "pipelines.register"


@pytest.mark.parametrize("values", ["base", "kubeflow"])
def test_the_drift_watch_can_be_moved_and_switched_off_with_its_alerts(values: str) -> None:
    monitored = ["--set", "monitoring.prometheusRule.enabled=true"]
    moved = rendered(values, *monitored, "--set", "pipeline.driftWatch.schedule=15 6 * * *")
    off = rendered(values, *monitored, "--set", "pipeline.driftWatch.enabled=false")
    assert "15 6 * * *" in str(moved)
    for objects, there in ((moved, True), (off, False)):
        looks = [found for found in objects if "-drift-" in found["metadata"]["name"]]
        assert len(looks) == (3 if there and values == "base" else 0)
        if values == "kubeflow":
            deployment = one(objects, "ConfigMap", "-pipeline")["data"]["deployment.json"]
            assert len(json.loads(deployment)["watches"]) == (3 if there else 0)
        told = str(one(objects, "PrometheusRule"))
        assert ("ShieldDrift" in told) is there
        assert "ShieldAuditShortened" in told


@pytest.mark.parametrize("engine", ["cronjob", "trainjob", "kfp"])
def test_versions_are_mirrored_where_told_by_the_container_that_registers(engine: str) -> None:
    told = ["--set", f"pipeline.engine={engine}", "--set", "pipeline.firstModels.types={sms}"]
    assert "-mirrors" not in str([one["metadata"]["name"] for one in rendered("base", *told)])
    told += ["--set", "pipeline.mirrors.mlflowUrl=http://mlflow:5000"]
    told += ["--set", "pipeline.mirrors.modelRegistryUrl=http://registry:8080"]
    told += ["--set", "pipeline.mirrors.existingSecret=mirrors"]
    objects = rendered("base", *told)
    assert {"port": 5000} in one(objects, "NetworkPolicy", "-mirrors")["spec"]["egress"][0]["ports"]
    registering = 0
    for pod in (pod for found in objects for pod in pods_of(found)):
        for container in [*pod.get("initContainers", []), *pod["containers"]]:
            env = {each["name"]: each for each in container.get("env", [])}
            registers = "SHIELD_SIGNING_KEY" in env
            assert ("MLFLOW_TRACKING_URI" in env) is registers
            assert ("SHIELD_MODEL_REGISTRY_URL" in env) is registers
            if not registers:
                continue
            registering += 1
            folders = {one["mountPath"]: one["name"] for one in container["volumeMounts"]}
            assert env["SHIELD_SECRETS"]["value"] in folders
            (volume,) = [
                one
                for one in pod["volumes"]
                if one["name"] == folders[env["SHIELD_SECRETS"]["value"]]
            ]
            sources = [one["secret"]["name"] for one in volume["projected"]["sources"]]
            assert sources == ["antispam-shield-artifacts", "mirrors"]
    assert registering
    if engine == "kfp":
        deployment = json.loads(one(objects, "ConfigMap", "-pipeline")["data"]["deployment.json"])
        config = DeploymentConfig.model_validate(deployment).kubernetes
        assert config.mlflow_url == "http://mlflow:5000"
        assert config.model_registry_url == "http://registry:8080"
        assert config.mirrors_secret == "mirrors"


def test_a_linear_first_version_is_trained_beside_the_transformer_without_a_gpu() -> None:
    told = ["--set", "pipeline.firstModels.types={sms,voice}", "--set", "pipeline.gpu.enabled=true"]
    told += ["--set", "pipeline.nodeSelector.gpu=yes", "--set", "serving.nodeSelector.cpu=yes"]
    objects = rendered("base", *told)
    pods = {
        each["metadata"]["name"].rpartition("-")[0]: each["spec"]["template"]["spec"]
        for each in objects
        if each["kind"] == "Job"
    }
    for kind in ("sms", "voice"):
        linear = pods[f"{RELEASE}-first-linear-{kind}"]
        transformer = pods[f"{RELEASE}-first-{kind}"]
        for pod, module, gpu, nodes in (
            (linear, "cli.first_version", False, {"cpu": "yes"}),
            (transformer, "pipelines.base", True, {"gpu": "yes"}),
        ):
            (trains,), (registers,) = pod["initContainers"], pod["containers"]
            assert [each["args"][2] for each in (trains, registers)] == [module, module]
            parts = [each["args"][-2:] for each in (trains, registers)]
            assert parts == [["--part", "train"], ["--part", "register"]]
            assert ("nvidia.com/gpu" in trains["resources"]["limits"]) is gpu
            assert pod["nodeSelector"] == nodes
    alone = rendered("base", *told, "--set", "pipeline.firstModels.linear=false")
    jobs = [each["metadata"]["name"] for each in alone if each["kind"] == "Job"]
    assert sum("-first-" in name for name in jobs) == 2
    assert not any("first-linear" in name for name in jobs)


def test_the_values_of_the_end_to_end_run_are_ones_that_chart_and_retraining_know() -> None:
    objects = rendered("trial", "--values", str(ROOT / "tests/e2e/values.yaml"))
    job = one(objects, "CronJob", "-learn-sms")["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    arguments = job["initContainers"][0]["args"]
    told = [arguments[at + 1] for at, word in enumerate(arguments) if word == "--set"]
    assert parsed(told)["min_feedback"] == 8
    GateLimits.model_validate(parsed(told)["limits"])


def test_extra_objects_are_templates(tmp_path: Path) -> None:
    extra = {
        "extraObjects": [
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": '{{ include "shield.fullname" . }}-extra'},
            }
        ]
    }
    file = tmp_path / "extra.yaml"
    file.write_text(yaml.safe_dump(extra))
    assert one(rendered("base", "--values", str(file)), "ConfigMap", "-extra")


def test_a_model_server_is_started_by_its_module_because_images_have_no_entry_point() -> None:
    """The operator adds arguments alone; without a command `--model-type` would be the program."""
    found = one(rendered("trial"), "ConfigMap", "-model-server")
    (container,) = json.loads(found["data"]["pod.json"])["spec"]["containers"]
    assert container["name"] == "model-server"
    assert container["command"] == ["python", "-m", "serving.server"]
    recipe = (CHART.parent / "images/Containerfile").read_text()
    assert "ENTRYPOINT" not in recipe


def test_phones_behind_a_gateway_are_told_apart() -> None:
    """Or all of them would share one address's rate limit."""
    pod = next(pods_of(one(rendered("gateway"), "Deployment", "-api")))
    told = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}
    limiter = Limiter("", "", "memory://", told["SHIELD_API_TRUSTED_PROXIES"] or "")

    def counted(peer: str) -> str:
        headers = [(b"x-forwarded-for", b"203.0.113.9")]
        return limiter.address(
            HTTPConnection({"type": "http", "client": (peer, 1), "headers": headers})
        )

    assert counted("10.244.0.7") == "203.0.113.9"
    assert counted("198.51.100.1") == "198.51.100.1", "a stranger names nobody else"


def test_the_chart_names_the_first_administrator() -> None:
    objects = rendered("base", "--set", "api.admins={ruth@example.org}")
    pod = next(pods_of(one(objects, "Deployment", "-api")))
    told = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}
    assert json.loads(told["SHIELD_PAGES_ADMINS"] or "") == ["ruth@example.org"]
    assert "SHIELD_PAGES_REVIEWERS" not in told


def test_the_api_reads_the_accounts_that_the_chart_names() -> None:
    """Seen on real pods: another notation left operator and pipeline without a role."""
    pod = next(pods_of(one(rendered("trial"), "Deployment", "-api")))
    told = {entry["name"]: entry.get("value") for entry in pod["containers"][0]["env"]}
    settings = ApiSettings.model_validate(
        {"service_accounts": told["SHIELD_API_SERVICE_ACCOUNTS"] or ""}
    )
    assert settings.service_accounts == [
        "shield:antispam-shield-operator=operator",
        "shield:antispam-shield-pipeline=pipeline",
    ]
