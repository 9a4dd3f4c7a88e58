"""The `Cluster` of KServe: reads pods, and applies one InferenceService per rollout."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from serving.operator import specs
from serving.operator.deployments import ends
from serving.operator.kserve.arrange import Held, arrange
from serving.operator.kserve.objects import (
    API,
    CONTAINER,
    REVISION_LABEL,
    inference_service,
    replicas,
)
from serving.operator.kserve.settings import KServeSettings
from serving.operator.live import LiveObjects
from serving.operator.state import ServerSeen
from shield.crds.v1alpha1 import ModelRollout, VersionRef
from shield.errors import Misconfigured, NotFound
from shield.kube import Kube, Object


class KServeCluster:
    """Implements `Cluster` by the canary of one InferenceService per rollout.

    Each revision is called by its own Service, so that users stay on their arm as with Deployments,
    and an address never changes its version. Only two versions run at a time: a candidate replaces
    the last known good version, which an undo must then start again.

    Args:
        kube: Connection to the cluster.
        live: Known objects of the cluster.
        template: PodTemplate of the model servers; see `specs.deployment`.
        settings: The backend's settings.
    """

    def __init__(
        self, kube: Kube, live: LiveObjects, *, template: Object, settings: KServeSettings
    ) -> None:
        self._kube = kube
        self._live = live
        self._template = template
        self._settings = settings
        self._made: dict[str, str] = {}
        """Digests by revision. Immutable; needed for revisions without pods."""

    def observe(self, rollout: ModelRollout) -> Mapping[str, ServerSeen]:
        """Return the servers of a rollout as they are now, by digest."""
        pods = self._live.of(rollout.name, "Pod")
        replicas = max(1, (rollout.spec.replicas + 1) // 2)
        servers: dict[str, ServerSeen] = {}
        for digest, revisions in _revisions(pods, rollout).items():
            # Brought back, a version is a new revision, while pods of its old one may still end.
            revision = max(revisions, key=lambda name: (revisions[name], name))
            crashes, refusal = ends(pods, digest.removeprefix("sha256:")[:40], CONTAINER)
            servers[digest] = ServerSeen(
                ready=revisions[revision] >= replicas,
                url=self._address(revision),
                crashes=crashes,
                refusal=refusal,
            )
        return servers

    def apply(self, rollout: ModelRollout, servers: Sequence[VersionRef]) -> None:
        """Apply the next arrangement of the InferenceService."""
        if not servers:
            return
        live = self._read(rollout.name)
        for digest, pods in _revisions(self._live.of(rollout.name, "Pod"), rollout).items():
            self._made.update(dict.fromkeys(pods, digest))
        held = _held(live, self._made)
        arrangement = arrange(rollout, servers, held)
        if arrangement.latest is not None and arrangement.latest.digest != held.latest:
            self._make(rollout, arrangement.latest, arrangement.percent)
            if arrangement.percent is not None or held.percent is None:
                return
        changed: Object = {}
        if arrangement.percent != held.percent:
            changed["canaryTrafficPercent"] = arrangement.percent
        if live is not None and live["spec"]["predictor"].get("minReplicas") != replicas(rollout):
            changed["minReplicas"] = replicas(rollout)
        if changed:
            # Nothing else: any difference but the share is a new revision, and so new pods.
            body = {"spec": {"predictor": changed}}
            self._kube.merge(self._path(rollout.name), body, specs.MANAGER)

    def remove(self, rollout: ModelRollout) -> None:
        """Do nothing: Kubernetes removes what a rollout owns together with it."""

    def close(self) -> None:
        """Close the connection; the servers stay."""
        self._kube.close()

    def _make(self, rollout: ModelRollout, version: VersionRef, percent: int | None) -> None:
        settings = self._settings
        made = inference_service(rollout, version, percent, self._template, settings.annotations)
        try:
            self._kube.apply(self._path(rollout.name), made, specs.MANAGER)
        except NotFound as error:
            raise Misconfigured(
                "The cluster does not know InferenceServices. Install KServe with Knative, or set "
                "serving.backend to deployments."
            ) from error

    def _read(self, name: str) -> Object | None:
        try:
            return self._kube.get(self._path(name))
        except NotFound:
            return None

    def _path(self, name: str) -> str:
        return f"{API}/namespaces/{self._kube.namespace}/inferenceservices/{name}"

    def _address(self, revision: str) -> str:
        # In full: where Knative's activator is in the way, it reads the revision from the host.
        return f"http://{revision}.{self._kube.namespace}.svc.{self._settings.cluster_domain}"


def _held(live: Object | None, made: Mapping[str, str]) -> Held:
    if live is None:
        return Held()
    predictor: dict[str, Any] = live["spec"]["predictor"]
    latest = predictor.get("annotations", {}).get(specs.DIGEST_ANNOTATION)
    status = live.get("status", {}).get("components", {}).get("predictor", {})
    rolled_out = made.get(f"{status.get('latestRolledoutRevision')}")
    return Held(latest or "unknown", predictor.get("canaryTrafficPercent"), rolled_out)


def _revisions(pods: list[Object], rollout: ModelRollout) -> dict[str, dict[str, int]]:
    """Return the number of ready pods by digest and revision."""
    known = {ref.digest.removeprefix("sha256:")[:40]: ref.digest for ref in _versions(rollout)}
    ready_pods: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for pod in pods:
        labels = pod["metadata"].get("labels", {})
        digest = known.get(labels.get(specs.DIGEST_LABEL, ""))
        revision = labels.get(REVISION_LABEL)
        if digest is None or revision is None:
            continue
        conditions = pod.get("status", {}).get("conditions", [])
        ready = any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
        ready_pods[digest][revision] += ready
    return ready_pods


def _versions(rollout: ModelRollout) -> Iterator[VersionRef]:
    status = rollout.status
    yield rollout.spec.version
    yield from (one for one in (status.stable, status.candidate, status.last_known_good) if one)
    yield from status.good
    yield from status.rejected
