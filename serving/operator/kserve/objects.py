"""Build the InferenceService of a rollout. Pure.

KServe passes the pod spec to Knative, which refuses unknown fields: only the fields that Knative
accepts are used, and the pod's security settings move to the containers.
"""

import copy
from collections.abc import Mapping
from typing import Any

from serving.operator import specs
from shield.crds.v1alpha1 import ModelRollout, VersionRef
from shield.kube import Object

API = "/apis/serving.kserve.io/v1beta1"
CONTAINER = "kserve-container"
"""KServe's name of the serving container."""
REVISION_LABEL = "serving.knative.dev/revision"
_READABLE = 0o444
_POD = ("serviceAccountName", "automountServiceAccountToken", "imagePullSecrets", "volumes")
_ON_REQUEST = ("nodeSelector", "tolerations")
"""Fields that Knative accepts only if its features are enabled; sent if the template has them."""
_SECURITY = ("runAsNonRoot", "runAsUser", "runAsGroup", "seccompProfile")


def inference_service(
    rollout: ModelRollout,
    version: VersionRef,
    percent: int | None,
    template: Object,
    annotations: Mapping[str, str],
) -> Object:
    """Return the InferenceService.

    A change of the share changes nothing else, because KServe creates a new revision, with new
    pods, for any other difference, labels and annotations included.

    Args:
        rollout: Its owner.
        version: Version of the latest revision.
        percent: Share of the latest revision; None rolls it out.
        template: PodTemplate of the model servers; see `specs.deployment`.
        annotations: Annotations of the InferenceService.
    """
    made = specs.deployment(rollout, version, template)
    predictor: Object = {
        **_pod(made["spec"]["template"]["spec"]),
        "labels": made["spec"]["template"]["metadata"]["labels"],
        "annotations": {specs.DIGEST_ANNOTATION: version.digest},
        "minReplicas": replicas(rollout),
    }
    if percent is not None:
        predictor["canaryTrafficPercent"] = percent
    return {
        "apiVersion": "serving.kserve.io/v1beta1",
        "kind": "InferenceService",
        "metadata": {
            "name": rollout.name,
            "labels": {specs.ROLLOUT_LABEL: rollout.name},
            "annotations": dict(annotations),
            "ownerReferences": made["metadata"]["ownerReferences"],
        },
        "spec": {"predictor": predictor},
    }


def replicas(rollout: ModelRollout) -> int:
    """Return the minimum number of pods of a revision; at least one, to avoid cold starts."""
    return max(1, rollout.spec.replicas)


def _pod(spec: Object) -> Object:
    security = spec.get("securityContext", {})
    pod = {name: copy.deepcopy(spec[name]) for name in (*_POD, *_ON_REQUEST) if name in spec}
    for volume in pod.get("volumes", []):
        # Knative takes no fsGroup, so files are readable by all of the pod instead of its group.
        for kind in ("secret", "configMap", "projected"):
            if kind in volume:
                volume[kind]["defaultMode"] = _READABLE
    pod["containers"] = [_container(one, security) for one in spec["containers"]]
    return pod


def _container(container: Object, security: Object) -> Object:
    made: dict[str, Any] = {name: value for name, value in container.items() if name != "lifecycle"}
    inherited = {name: security[name] for name in _SECURITY if name in security}
    made["securityContext"] = {**inherited, **container.get("securityContext", {})}
    if container["name"] == specs.CONTAINER:
        made["name"] = CONTAINER
        made["ports"] = [{"containerPort": specs.PORT, "protocol": "TCP"}]
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            action = {**container[probe]["httpGet"], "port": specs.PORT}
            made[probe] = {**container[probe], "httpGet": action}
    return made
