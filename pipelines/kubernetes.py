"""The pipelines as a cluster runs them: images, Secrets, GPU, placement, retries, time-outs.

`kfp.local` ignores all of this, so it is kept out of the graph, and put on each task when the
pipeline is compiled for a server.
"""

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from kfp import compiler, kubernetes
from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from components.shared import images
from pipelines.graph import OnTask, build
from shield.environment import SECRETS

SIGNING_FOLDER = "/etc/antispam-shield/signing"
TRUSTED_FOLDER = "/etc/antispam-shield/trusted"
SECRETS_FOLDER = "/etc/antispam-shield/secrets"
MIRRORS_FOLDER = "/etc/antispam-shield/mirrors"
RETRY_PAUSE_SECONDS, RETRY_FACTOR = 30, 2.0
TOKEN_LABEL = "antispamshield.io/api-token"
"""A PodDefault of the chart gives pods with this label a token for the API."""


class Toleration(BaseModel):
    """As in a pod's spec."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)

    key: str | None = None
    operator: str | None = None
    value: str | None = None
    effect: str | None = None
    toleration_seconds: int | None = None


class Resources(BaseModel):
    """As in a container's spec."""

    model_config = ConfigDict(extra="forbid")

    requests: dict[str, str] = {}
    limits: dict[str, str] = {}


class ClusterSettings(BaseModel):
    """Where and with what the steps run. The chart renders it from its values."""

    model_config = ConfigDict(extra="forbid", alias_generator=to_camel, populate_by_name=True)

    pipeline_image: str = images.LIGHT
    training_image: str = images.TRAINING
    api_url: str
    artifacts_root: str
    artifacts_endpoint_url: str = ""
    artifacts_region: str = "us-east-1"
    artifacts_secret: str = ""
    """Secret with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY; empty: the pod's own identity."""
    signing_secret: str
    trusted_secret: str
    image_pull_secrets: Sequence[str] = ()
    mlflow_url: str = ""
    """MLflow's tracking server, which `register` mirrors versions to; empty: none."""
    model_registry_url: str = ""
    """Kubeflow's model registry, likewise."""
    mirrors_secret: str = ""
    """Secret with what these servers ask for: its keys are settings."""
    accelerator_type: str = ""
    """E.g. `nvidia.com/gpu`; empty trains on CPUs."""
    accelerator_count: int = Field(default=1, ge=1)
    node_selector: dict[str, str] = {}
    """Of the training step, as `tolerations` and `resources` are."""
    tolerations: Sequence[Toleration] = ()
    resources: Resources = Resources()
    timeout_seconds: int = Field(default=21600, gt=0)
    """One try of one step is stopped after that long."""
    retries: int = Field(default=2, ge=0)
    """Tries again of one step. It gets the same batch again, and registers the same version."""

    @property
    def patience_seconds(self) -> int:
        """How long Argo may go on trying one step, from the start of its first try.

        All tries, the pauses between them, and a quarter of an hour for each to get a node. When
        that is over, Argo neither starts another try nor lets the present one go on.
        """
        pauses = sum(int(RETRY_PAUSE_SECONDS * RETRY_FACTOR**n) for n in range(self.retries))
        return (self.retries + 1) * (self.timeout_seconds + 900) + pauses


def placed(settings: ClusterSettings) -> OnTask:
    """Return what `graph.build` calls with every task."""

    def place(step: str, task: Any) -> None:
        if task.container_spec.image == images.TRAINING:
            task.set_container_image(settings.training_image)
        else:
            task.set_container_image(settings.pipeline_image)
        for name, value in _environment(settings).items():
            task.set_env_variable(name, value)
        if settings.artifacts_secret:
            kubernetes.use_secret_as_volume(task, settings.artifacts_secret, SECRETS_FOLDER)
            task.set_env_variable(SECRETS, SECRETS_FOLDER)
        kubernetes.use_secret_as_volume(task, settings.trusted_secret, TRUSTED_FOLDER)
        if step == "register":  # the only step that may sign
            kubernetes.use_secret_as_volume(task, settings.signing_secret, SIGNING_FOLDER)
            task.set_env_variable("SHIELD_SIGNING_KEY", f"{SIGNING_FOLDER}/signing.pem")
            _mirror_where_told(settings, task)
        if settings.image_pull_secrets:
            kubernetes.set_image_pull_secrets(task, list(settings.image_pull_secrets))
        kubernetes.add_pod_label(task, TOKEN_LABEL, "true")
        kubernetes.set_security_context(
            task, run_as_user=65532, run_as_group=65532, run_as_non_root=True
        )
        kubernetes.set_timeout(task, settings.timeout_seconds)
        task.set_retry(
            settings.retries,
            backoff_duration=f"{RETRY_PAUSE_SECONDS}s",
            backoff_factor=RETRY_FACTOR,
            # Left out it is an hour, whatever the time-out: Argo then retries no longer training.
            backoff_max_duration=f"{settings.patience_seconds}s",
        )
        if step == "train":
            _train_where_told(settings, task)

    return place


def compile_for_cluster(
    settings: ClusterSettings, path: Path, graph: Callable[[OnTask], Any] = build
) -> Path:
    """Write the compiled pipeline, with everything that the cluster needs, and return its path."""
    compiler.Compiler().compile(graph(placed(settings)), str(path))
    return path


def _environment(settings: ClusterSettings) -> dict[str, str]:
    environment = {
        "SHIELD_ENGINE": "kfp",
        "SHIELD_API_URL": settings.api_url,
        "SHIELD_ARTIFACTS_ROOT": settings.artifacts_root,
        "SHIELD_ARTIFACTS_REGION": settings.artifacts_region,
        "SHIELD_TRUSTED_KEYS": TRUSTED_FOLDER,
    }
    if settings.artifacts_endpoint_url:
        environment["SHIELD_ARTIFACTS_ENDPOINT_URL"] = settings.artifacts_endpoint_url
    return environment


def _mirror_where_told(settings: ClusterSettings, task: Any) -> None:
    if settings.mlflow_url:
        task.set_env_variable("MLFLOW_TRACKING_URI", settings.mlflow_url)
    if settings.model_registry_url:
        task.set_env_variable("SHIELD_MODEL_REGISTRY_URL", settings.model_registry_url)
    if settings.mirrors_secret:
        kubernetes.use_secret_as_volume(task, settings.mirrors_secret, MIRRORS_FOLDER)
        folders = [SECRETS_FOLDER] if settings.artifacts_secret else []
        task.set_env_variable(SECRETS, os.pathsep.join([*folders, MIRRORS_FOLDER]))


def _train_where_told(settings: ClusterSettings, task: Any) -> None:
    requests, limits = settings.resources.requests, settings.resources.limits
    if "cpu" in requests:
        task.set_cpu_request(requests["cpu"])
    if "memory" in requests:
        task.set_memory_request(requests["memory"])
    if "cpu" in limits:
        task.set_cpu_limit(limits["cpu"])
    if "memory" in limits:
        task.set_memory_limit(limits["memory"])
    if settings.accelerator_type:
        task.set_accelerator_type(settings.accelerator_type)
        task.set_accelerator_limit(settings.accelerator_count)
    for key, value in settings.node_selector.items():
        kubernetes.add_node_selector(task, key, value)
    for toleration in settings.tolerations:
        kubernetes.add_toleration(task, **toleration.model_dump(exclude_none=True))
