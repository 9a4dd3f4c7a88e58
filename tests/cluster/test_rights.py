"""What every account of a release may do with the Kubernetes API, to the verb, and who has keys."""

from typing import Any

import pytest

from tests.support.chart import Object, pods_of, rendered

RELEASE = "antispam-shield"
EVERY = {
    "api": {
        "antispamshield.io/modelrollouts": "get list watch create update patch delete",
        "authentication.k8s.io/tokenreviews": "create",
    },
    "operator": {
        "antispamshield.io/modelrollouts": "get list watch patch",
        "antispamshield.io/modelrollouts/status": "get patch update",
        "apps/deployments": "get list watch create patch delete",
        "/services": "get list watch create patch delete",
        "policy/poddisruptionbudgets": "create patch",
        "/pods": "get list watch",
        "/events": "create patch",
        "events.k8s.io/events": "create patch",
        f"coordination.k8s.io/leases {RELEASE}-operator": "get update",
    },
    "keys": {
        "/secrets": "create",
        f"/secrets {RELEASE}-signing {RELEASE}-trusted-keys": "get patch",
    },
    "model-server": {},
    "pipeline": {},
    "job": {},
}
KFP = {
    "/pods": "get list watch",
    "/configmaps": "get",
    "/secrets mlpipeline-minio-artifact": "get",
    "argoproj.io/workflowtaskresults": "create patch",
    **{
        f"pipelines.kubeflow.org/{kind}": "create get list delete readArtifact"
        for kind in ("runs", "jobs", "pipelines", "pipelines/versions", "experiments")
    },
}
READS = dict.fromkeys(("apps/deployments", "/services"), "get list watch")
KSERVE = EVERY["operator"] | READS | {"serving.kserve.io/inferenceservices": "get create patch"}
del KSERVE["policy/poddisruptionbudgets"]
RELEASES: dict[str, tuple[list[str], dict[str, dict[str, str]]]] = {
    "base": ([], EVERY),
    "kubeflow": ([], EVERY | {"pipeline": KFP}),
    "trial": (
        ["--set", "pipeline.engine=trainjob"],
        EVERY | {"trainjob": {"trainer.kubeflow.org/trainjobs": "create get"}},
    ),
    "gpu": (["--set", "serving.backend=kserve"], EVERY | {"operator": KSERVE}),
}


def rights(objects: list[Object]) -> dict[str, dict[str, str]]:
    """Return for each account: group/resource [names] -> verbs."""
    named = {(found["kind"], found["metadata"]["name"]): found for found in objects}
    found: dict[str, dict[str, set[str]]] = {
        name.removeprefix(f"{RELEASE}-"): {}
        for kind, name in named
        if kind == "ServiceAccount" and name.startswith(RELEASE)
    }
    for binding in objects:
        if binding["kind"] not in ("RoleBinding", "ClusterRoleBinding"):
            continue
        role = named[binding["roleRef"]["kind"], binding["roleRef"]["name"]]
        for subject in binding["subjects"]:
            mine = found[subject["name"].removeprefix(f"{RELEASE}-")]
            for rule in role["rules"]:
                for what in _resources(rule):
                    mine.setdefault(what, set()).update(rule["verbs"])
    return {
        account: {what: " ".join(sorted(verbs)) for what, verbs in mine.items()}
        for account, mine in found.items()
    }


def _resources(rule: dict[str, Any]) -> list[str]:
    names = "".join(f" {name}" for name in rule.get("resourceNames", []))
    return [
        f"{group}/{resource}{names}"
        for group in rule["apiGroups"]
        for resource in rule["resources"]
    ]


@pytest.mark.parametrize("values", sorted(RELEASES))
def test_every_account_has_exactly_these_verbs(values: str) -> None:
    arguments, expected = RELEASES[values]
    exact = {
        account: {what: " ".join(sorted(verbs.split())) for what, verbs in mine.items()}
        for account, mine in expected.items()
    }
    found = rights(rendered(values, *arguments))
    assert {account: found.get(account) for account in exact} == exact
    assert found.keys() == exact.keys()


@pytest.mark.parametrize("engine", ["cronjob", "trainjob"])
def test_no_container_that_trains_has_the_signing_key(engine: str) -> None:
    arguments = ["--set", f"pipeline.engine={engine}", "--set", "pipeline.firstModels.types={sms}"]
    holders = set()
    trainers = set()
    for found in rendered("base", *arguments):
        for pod in pods_of(found):
            signing = {
                volume["name"]
                for volume in pod.get("volumes", [])
                if volume.get("secret", {}).get("secretName") == f"{RELEASE}-signing"
            }
            for container in [*pod.get("initContainers", []), *pod["containers"]]:
                has = any(mount["name"] in signing for mount in container.get("volumeMounts", []))
                if has:
                    holders.add(container["name"])
                    assert pod["containers"] == [container], "training has ended when it begins"
                    said = {entry["name"] for entry in container["env"]}
                    assert "SHIELD_SIGNING_KEY" in said
                elif container["name"] in ("run", "node"):
                    trainers.add(container["name"])
                    assert "--hand-over" in container.get("args", ["--hand-over"]) or (
                        container["args"][-2:] == ["--part", "train"]
                    )
    assert holders == {"register"}
    assert trainers >= ({"run"} if engine == "cronjob" else {"node"})
