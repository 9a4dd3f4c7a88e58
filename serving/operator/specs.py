"""Build the Kubernetes objects of a rollout. Pure.

Each version in use has its own Deployment and Service, so that an undo only changes the route and
replaces no pods; they differ only in the version to serve. Each arm has a Service too, whose
selector follows the split: for clients in the cluster that do not read the split, and for the
weights of an HTTPRoute.
"""

import copy
import hashlib
import json
from typing import Any

from shield.crds.v1alpha1 import GROUP, KIND, VERSION, ModelRollout, Split, VersionRef
from shield.kube import Object

MANAGER = "antispam-shield-operator"
CONTAINER = "model-server"
PORT = 8080

ROLLOUT_LABEL = f"{GROUP}/rollout"
DIGEST_LABEL = f"{GROUP}/digest"
ARM_LABEL = f"{GROUP}/arm"
DIGEST_ANNOTATION = f"{GROUP}/digest"
HASH_ANNOTATION = f"{GROUP}/applied"
RETIRE_ANNOTATION = f"{GROUP}/retire-at"

_DRAIN_SECONDS = 5  # endpoints take a moment to forget a pod that ends


def server_name(rollout: str, digest: str) -> str:
    """Return the name of a version's Deployment and Service, at most 63 characters."""
    return f"{rollout[:50]}-{digest.removeprefix('sha256:')[:12]}"


def arm_name(rollout: str, arm: str) -> str:
    """Return the name of an arm's Service."""
    return f"{rollout[:50]}-{arm}"


def selector(rollout: str) -> str:
    """Return the label selector of a rollout's objects."""
    return f"{ROLLOUT_LABEL}={rollout}"


def deployment(rollout: ModelRollout, version: VersionRef, template: Object) -> Object:
    """Return the Deployment of a version.

    Args:
        rollout: Its owner.
        version: Version to serve.
        template: PodTemplate with a container `model-server`: image, environment, volumes,
            security. Arguments, port and probes are replaced.
    """
    labels = _labels(rollout, version)
    pod = copy.deepcopy(template)
    metadata = pod.setdefault("metadata", {})
    metadata["labels"] = {**metadata.get("labels", {}), **labels}
    pod["spec"]["containers"] = [
        _container(rollout, version, one) if one["name"] == CONTAINER else one
        for one in pod["spec"]["containers"]
    ]
    if "affinity" not in pod["spec"]:
        pod["spec"].setdefault("topologySpreadConstraints", [_over_nodes(rollout, version)])
    own = _metadata(rollout, server_name(rollout.name, version.digest), dict(metadata["labels"]))
    made = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {**own, "annotations": {DIGEST_ANNOTATION: version.digest}},
        "spec": {
            "replicas": rollout.spec.replicas,
            "selector": {"matchLabels": _selecting(rollout, version)},
            "strategy": {"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}},
            "template": pod,
        },
    }
    return _hashed(made)


def version_service(rollout: ModelRollout, version: VersionRef) -> Object:
    """Return the Service of a version, to which the split refers."""
    name = server_name(rollout.name, version.digest)
    return _service(rollout, name, _labels(rollout, version), _selecting(rollout, version))


def disruption_budget(rollout: ModelRollout, version: VersionRef, owner: Object) -> Object:
    """Return the PodDisruptionBudget of a version: a drain evicts its pods one after the other.

    Args:
        rollout: The rollout.
        version: Version whose pods are meant.
        owner: Its Deployment as the API server returned it; the budget is removed with it.
    """
    name = server_name(rollout.name, version.digest)
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": {
            "name": name,
            "labels": _labels(rollout, version),
            "ownerReferences": [{**reference, "uid": owner["metadata"]["uid"]}],
        },
        "spec": {
            "maxUnavailable": 1,
            "selector": {"matchLabels": _selecting(rollout, version)},
            # A version that never becomes ready must not hold up the drain of its node.
            "unhealthyPodEvictionPolicy": "AlwaysAllow",
        },
    }


def arm_service(rollout: ModelRollout, arm: str, version: VersionRef) -> Object:
    """Return the Service of an arm, which follows the split."""
    labels = {**_labels(rollout, version), ARM_LABEL: arm}
    return _service(rollout, arm_name(rollout.name, arm), labels, _selecting(rollout, version))


def http_route(rollout: ModelRollout, split: Split, parents: list[Object]) -> Object:
    """Return the HTTPRoute that splits other clients' requests by the split's weights.

    It does not keep users on an arm, unlike the API, which routes by user.
    """
    backends = [
        {
            "name": arm_name(rollout.name, "stable"),
            "port": PORT,
            "weight": 1000 - round(10 * split.weight),
        }
    ]
    if split.candidate is not None and not split.shadow:
        backends.append(
            {
                "name": arm_name(rollout.name, "candidate"),
                "port": PORT,
                "weight": round(10 * split.weight),
            }
        )
    prefix = {"path": {"type": "PathPrefix", "value": f"/models/{rollout.spec.model_type}"}}
    rewrite = {
        "type": "URLRewrite",
        "urlRewrite": {"path": {"type": "ReplacePrefixMatch", "replacePrefixMatch": "/"}},
    }
    labels = {ROLLOUT_LABEL: rollout.name, "app.kubernetes.io/managed-by": MANAGER}
    return _hashed(
        {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": _metadata(rollout, rollout.name, labels),
            "spec": {
                "parentRefs": parents,
                "rules": [{"matches": [prefix], "filters": [rewrite], "backendRefs": backends}],
            },
        }
    )


def _container(rollout: ModelRollout, version: VersionRef, container: Object) -> Object:
    resources = rollout.spec.resources.model_dump(mode="json")
    return {
        # What a rollout does not say is taken from the template, and what neither says from here.
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "lifecycle": {"preStop": {"sleep": {"seconds": _DRAIN_SECONDS}}},
        **container,
        "resources": resources if any(resources.values()) else container.get("resources", {}),
        "args": [
            *("--model-type", rollout.spec.model_type.value),
            *("--package", version.uri, "--digest", version.digest),
            *("--version", version.name),
            *("--host", "0.0.0.0", "--port", str(PORT)),
        ],
        "ports": [{"name": "http", "containerPort": PORT, "protocol": "TCP"}],
        # Patient, because a restart counts as a crash: a busy node is no fault of the version.
        "startupProbe": _probe("ready", period=1, failures=3600),
        "readinessProbe": _probe("ready", period=2, failures=2),
        "livenessProbe": _probe("live", period=10, failures=12, timeout=5),
    }


def _over_nodes(rollout: ModelRollout, version: VersionRef) -> Object:
    """Return the constraint that spreads a version's pods over nodes, so that one may fail."""
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": _selecting(rollout, version)},
        # Or an upgrade counts the pods that it replaces, and may leave all new ones on one node.
        "matchLabelKeys": ["pod-template-hash"],
    }


def _probe(what: str, *, period: int, failures: int, timeout: int = 2) -> Object:
    return {
        "httpGet": {"path": f"/v2/health/{what}", "port": "http"},
        "periodSeconds": period,
        "timeoutSeconds": timeout,
        "failureThreshold": failures,
    }


def _service(
    rollout: ModelRollout, name: str, labels: dict[str, str], selecting: dict[str, str]
) -> Object:
    return _hashed(
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": _metadata(rollout, name, labels),
            "spec": {
                "selector": selecting,
                "ports": [{"name": "http", "port": PORT, "targetPort": "http", "protocol": "TCP"}],
            },
        }
    )


def _metadata(rollout: ModelRollout, name: str, labels: dict[str, str]) -> Object:
    owner = {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": KIND,
        "name": rollout.name,
        "uid": rollout.uid,
        "controller": True,
    }
    return {"name": name, "labels": labels, "ownerReferences": [owner]}


def _selecting(rollout: ModelRollout, version: VersionRef) -> dict[str, str]:
    return {ROLLOUT_LABEL: rollout.name, DIGEST_LABEL: _short(version)}


def _labels(rollout: ModelRollout, version: VersionRef) -> dict[str, str]:
    return {
        **_selecting(rollout, version),
        f"{GROUP}/version": version.name,
        f"{GROUP}/model-type": rollout.spec.model_type.value,
        "app.kubernetes.io/managed-by": MANAGER,
    }


def _short(version: VersionRef) -> str:
    return version.digest.removeprefix("sha256:")[:40]


def _hashed(made: dict[str, Any]) -> Object:
    """Add a hash of the object as an annotation, to recognise unchanged objects without a call."""
    digest = hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()[:16]
    annotations = made["metadata"].setdefault("annotations", {})
    annotations[HASH_ANNOTATION] = digest
    return made
