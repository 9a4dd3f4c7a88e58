"""The pipeline as Kubernetes objects, for a KFP whose API server keeps pipelines that way.

KFP's store knows a version by its owner and its label, which KFP's webhook writes. Where the
webhook is not installed nobody does, and KFP's API does not list the version. So they are written
here, and the objects' own ids are used instead of a look at that list.
"""

from pathlib import Path

import yaml

from pipelines.kfp_api import DESCRIPTIONS, PIPELINE, version_name
from pipelines.recurring import Version
from shield.errors import Conflict, Forbidden, Misconfigured, NotFound
from shield.kube import Kube, Object

GROUP_VERSION = "pipelines.kubeflow.org/v2beta1"
PIPELINE_ID = "pipelines.kubeflow.org/pipeline-id"
"""Label of a version: the uid of its Pipeline. KFP's API server lists versions by it."""
_PLURALS = {"Pipeline": "pipelines", "PipelineVersion": "pipelineversions"}
_MANAGER = "antispam-shield"


def native_objects(
    package: Path, namespace: str | None = None, pipeline: str = PIPELINE
) -> list[Object]:
    """Return a Pipeline and its PipelineVersion; the version is named by the package's content."""
    documents = list(yaml.safe_load_all(package.read_text()))
    name = version_name(package, pipeline)
    scope = {"namespace": namespace} if namespace else {}
    spec = {"pipelineName": pipeline, "displayName": name, "pipelineSpec": documents[0]}
    if len(documents) > 1:
        spec["platformSpec"] = documents[1]
    return [
        {
            "apiVersion": GROUP_VERSION,
            "kind": "Pipeline",
            "metadata": {"name": pipeline, **scope},
            "spec": {"description": DESCRIPTIONS[pipeline]},
        },
        {
            "apiVersion": GROUP_VERSION,
            "kind": "PipelineVersion",
            "metadata": {"name": name, **scope},
            "spec": spec,
        },
    ]


def apply_native(objects: list[Object], kube: Kube | None = None) -> Version:
    """Create what is missing of a Pipeline and its PipelineVersion; return KFP's ids of them.

    Versions are immutable: one that is there is taken as it is, but for its owner and label.

    Args:
        objects: From `native_objects`.
        kube: The cluster; else that of the pod, or of the kubeconfig.

    Raises:
        Misconfigured: There is no cluster, no namespace, or KFP's kinds are not installed.
        Forbidden: The account may not create them.
        Unavailable: The Kubernetes API does not answer.
    """
    pipeline, version = objects
    if not pipeline["metadata"].get("namespace"):
        raise Misconfigured("Pipeline objects need a namespace: set it with --namespace.")
    connection = kube or Kube.connect(pipeline["metadata"]["namespace"])
    owner = _kept(connection, pipeline)
    uid = str(owner["metadata"]["uid"])
    belongs: Object = {
        "labels": {PIPELINE_ID: uid},
        "ownerReferences": [
            {
                "apiVersion": GROUP_VERSION,
                "kind": "Pipeline",
                "name": owner["metadata"]["name"],
                "uid": uid,
            }
        ],
    }
    desired = {**version, "metadata": {**version["metadata"], **belongs}}
    kept = _kept(connection, desired)
    if kept["metadata"].get("labels", {}).get(PIPELINE_ID) != uid:
        path = _path(desired, str(desired["metadata"]["name"]))
        kept = connection.merge(path, {"metadata": belongs}, _MANAGER)
    return uid, str(kept["metadata"]["uid"]), str(kept["metadata"]["name"])


def _kept(kube: Kube, desired: Object) -> Object:
    """Create an object, or return the one of its name that is there."""
    kind = desired["kind"]
    try:
        return kube.create(_path(desired), desired)
    except Conflict:
        return kube.get(_path(desired, str(desired["metadata"]["name"])))
    except Forbidden as error:
        raise Forbidden(
            f"This ServiceAccount may not create {kind} objects. Install the chart with "
            "pipeline.kfp.nativeObjects=true."
        ) from error
    except NotFound as error:
        raise Misconfigured(
            f"The cluster does not know {kind} objects. KFP must run with the Kubernetes-native "
            "API; or set pipeline.kfp.nativeObjects=false."
        ) from error


def _path(desired: Object, name: str = "") -> str:
    namespace, plural = desired["metadata"]["namespace"], _PLURALS[desired["kind"]]
    path = f"/apis/{GROUP_VERSION}/namespaces/{namespace}/{plural}"
    return f"{path}/{name}" if name else path
