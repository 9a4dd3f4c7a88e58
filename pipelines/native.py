"""The pipeline as Kubernetes objects, for a KFP whose API server keeps pipelines that way."""

from pathlib import Path
from typing import Any

import yaml
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException
from kubernetes.config.config_exception import ConfigException

from pipelines.kfp_api import DESCRIPTIONS, PIPELINE, version_name
from shield.errors import Forbidden, Misconfigured, Unavailable

GROUP, VERSION = "pipelines.kubeflow.org", "v2beta1"
_PLURALS = {"Pipeline": "pipelines", "PipelineVersion": "pipelineversions"}


def native_objects(
    package: Path, namespace: str | None = None, pipeline: str = PIPELINE
) -> list[dict[str, Any]]:
    """Return a Pipeline and its PipelineVersion; the version is named by the package's content."""
    documents = list(yaml.safe_load_all(package.read_text()))
    name = version_name(package, pipeline)
    scope = {"namespace": namespace} if namespace else {}
    spec = {"pipelineName": pipeline, "displayName": name, "pipelineSpec": documents[0]}
    if len(documents) > 1:
        spec["platformSpec"] = documents[1]
    return [
        {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "Pipeline",
            "metadata": {"name": pipeline, **scope},
            "spec": {"description": DESCRIPTIONS[pipeline]},
        },
        {
            "apiVersion": f"{GROUP}/{VERSION}",
            "kind": "PipelineVersion",
            "metadata": {"name": name, **scope},
            "spec": spec,
        },
    ]


def apply_native(objects: list[dict[str, Any]], kubeconfig: Path | None = None) -> list[str]:
    """Create the objects that are missing, and return their names. Versions are immutable.

    Raises:
        Misconfigured: There is no cluster, no namespace, or KFP's kinds are not installed.
        Forbidden: The account may not create them.
    """
    try:
        if kubeconfig is not None:
            config.load_kube_config(str(kubeconfig))
        else:
            config.load_incluster_config()
    except ConfigException as error:
        raise Misconfigured(
            f"There is no cluster to keep the pipeline in ({error}). Run this in a pod."
        ) from error
    custom, created = client.CustomObjectsApi(), []
    for found in objects:
        namespace = found["metadata"].get("namespace")
        if not namespace:
            raise Misconfigured("Pipeline objects need a namespace: set it with --namespace.")
        try:
            custom.create_namespaced_custom_object(
                GROUP, VERSION, namespace, _PLURALS[found["kind"]], found
            )
        except ApiException as error:
            if error.status == 409:
                continue
            raise _ours(error, found["kind"]) from error
        created.append(str(found["metadata"]["name"]))
    return created


def _ours(error: ApiException, kind: str) -> Exception:
    if error.status == 403:
        return Forbidden(
            f"This ServiceAccount may not create {kind} objects. "
            "Install the chart with pipeline.kfp.nativeObjects=true."
        )
    if error.status == 404:
        return Misconfigured(
            f"The cluster does not know {kind} objects. KFP must run with the Kubernetes-native "
            "API; or set pipeline.kfp.nativeObjects=false."
        )
    return Unavailable(f"The Kubernetes API refused a {kind} ({error.status}: {error.reason}).")
