"""No container has a secret in its environment; each has the files it needs, no more."""

from typing import Any

import pytest

from tests.support.chart import Object, pods_of, rendered

FOLDER = "/etc/antispam-shield/secrets"
RELEASES = {
    "base": ["--set", "pipeline.firstModels.types={sms}", "--set", "api.secrets={oidc-client}"],
    "kubeflow": [],
    "trial": ["--set", "pipeline.engine=trainjob"],
    "gpu": ["--set", "serving.backend=kserve"],
}
BUCKET = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}


def containers(objects: list[Object]) -> list[tuple[Object, Object]]:
    """Return every container with its pod."""
    return [
        (pod, container)
        for found in objects
        for pod in pods_of(found)
        for container in [*pod.get("initContainers", []), *pod["containers"]]
    ]


def files_of(pod: dict[str, Any]) -> set[str]:
    """Return the files below `SHIELD_SECRETS`; of a whole Secret its name."""
    (volume,) = [volume for volume in pod["volumes"] if volume["name"] == "secrets"]
    assert volume["projected"]["defaultMode"] == 0o440
    return {
        name
        for source in volume["projected"]["sources"]
        for name in (
            [item["path"] for item in source["secret"].get("items", [])]
            or [source["secret"]["name"]]
        )
    }


@pytest.mark.parametrize("values", sorted(RELEASES))
def test_no_container_has_a_secret_in_its_environment(values: str) -> None:
    found = containers(rendered(values, *RELEASES[values]))
    assert found
    for _, container in found:
        assert not container.get("envFrom"), container["name"]
        for entry in container.get("env", []):
            assert "secretKeyRef" not in entry.get("valueFrom", {}), (container["name"], entry)


@pytest.mark.parametrize("values", sorted(RELEASES))
def test_each_container_has_the_secrets_it_needs_and_no_more(values: str) -> None:
    found = rendered(values, *RELEASES[values])
    seen = set()
    for pod, container in containers(found):
        said = {entry["name"]: entry.get("value") for entry in container.get("env", [])}
        mounts = {mount["name"]: mount for mount in container.get("volumeMounts", [])}
        assert ("SHIELD_SECRETS" in said) == ("secrets" in mounts), container["name"]
        if "secrets" not in mounts:
            continue
        assert said["SHIELD_SECRETS"] == mounts["secrets"]["mountPath"] == FOLDER
        assert mounts["secrets"]["readOnly"] is True
        needs = BUCKET
        if container["name"] in ("api", "migrate"):
            needs = BUCKET | {"SHIELD_DATABASE_URL"}
        if container["name"] == "api" and values == "base":
            needs = needs | {"oidc-client"}
        assert files_of(pod) == needs, container["name"]
        seen.add(container["name"])
    assert seen >= {"api", "migrate", "model-server"}


def test_a_bucket_reached_by_the_pod_s_own_identity_needs_no_files() -> None:
    found = rendered("base", "--set", "artifacts.existingSecret=")
    for pod, container in containers(found):
        said = {entry["name"] for entry in container.get("env", [])}
        if container["name"] in ("api", "migrate"):
            assert files_of(pod) == {"SHIELD_DATABASE_URL"}
        else:
            assert "SHIELD_SECRETS" not in said, container["name"]
            assert "secrets" not in {volume["name"] for volume in pod.get("volumes", [])}


def test_the_trial_s_steps_do_not_get_the_password_of_its_database() -> None:
    named = {
        found["metadata"]["name"]: set(found["stringData"])
        for found in rendered("trial")
        if found["kind"] == "Secret"
    }
    assert named["antispam-shield-trial-artifacts"] >= BUCKET
    assert not {name for name in named["antispam-shield-trial-artifacts"] if "database" in name}
    assert named["antispam-shield-trial"] == {"postgres-password", "database-url"}
