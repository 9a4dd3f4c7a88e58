"""The `Cluster` of Kubernetes: Deployment, Service and disruption budget per version in use."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from serving.operator import specs
from serving.operator.live import KINDS, LiveObjects
from serving.operator.server_process import PACKAGE_REFUSED, STORE_AWAY
from serving.operator.state import ServerSeen
from shield.crds.v1alpha1 import ModelRollout, VersionRef
from shield.kube import Kube, Object

Address = Callable[[str, str], str]
"""Returns the URL of a version for the API, given its digest and its Service's name."""

_ROUTES = "/apis/gateway.networking.k8s.io/v1"
_BUDGETS = "/apis/policy/v1"
_UNSEEN_ENDS = ("Unknown", "ContainerStatusUnknown")
"""Reasons that the container runtime and the kubelet give for an end that they have not seen."""


class KubernetesCluster:
    """Implements `Cluster` by server-side apply, as the only owner of the applied fields.

    Unchanged objects are not written again: if a watch feeds `live`, an idle reconcile makes no
    call.

    Args:
        kube: Connection to the cluster.
        live: Known objects of the cluster.
        template: PodTemplate of the model servers; see `specs.deployment`.
        clock: Returns the current UTC time.
        drain_seconds: Time for which a retired version still answers.
        parents: Gateways for the HTTPRoute; without any, no route is created.
        address: Returns the address of a version; default: its Service's name.
    """

    def __init__(
        self,
        kube: Kube,
        live: LiveObjects,
        *,
        template: Object,
        clock: Callable[[], datetime],
        drain_seconds: float = 30.0,
        parents: Sequence[Object] = (),
        address: Address | None = None,
    ) -> None:
        self._kube = kube
        self._live = live
        self._template = template
        self._clock = clock
        self._drain_seconds = drain_seconds
        self._parents = list(parents)
        self._address = address or self._in_cluster
        self._applied: dict[tuple[str, str], int] = {}
        self._routes: dict[str, str] = {}
        self._guarded: set[str] = set()
        """UIDs of the Deployments whose PodDisruptionBudget this process has applied."""

    def observe(self, rollout: ModelRollout) -> Mapping[str, ServerSeen]:
        """Return the servers of a rollout as they are now, by digest."""
        pods = self._live.of(rollout.name, "Pod")
        servers: dict[str, ServerSeen] = {}
        for made in self._live.of(rollout.name, "Deployment"):
            digest = _annotations(made).get(specs.DIGEST_ANNOTATION)
            if digest is None:
                continue
            replicas = made["spec"].get("replicas", 1)
            ready = made.get("status", {}).get("readyReplicas", 0)
            crashes, refusal = ends(
                pods, made["metadata"].get("labels", {}).get(specs.DIGEST_LABEL)
            )
            servers[digest] = ServerSeen(
                # Half of them at least: one pod that restarts takes nobody's server away.
                ready=ready >= max(1, (replicas + 1) // 2),
                url=self._address(digest, made["metadata"]["name"]),
                crashes=crashes,
                refusal=refusal,
            )
        return servers

    def apply(self, rollout: ModelRollout, servers: Sequence[VersionRef]) -> None:
        """Bring up what is missing, and retire what is not named."""
        for version in servers:
            self._ensure("Service", rollout, specs.version_service(rollout, version))
            self._ensure("Deployment", rollout, specs.deployment(rollout, version, self._template))
        self._follow_split(rollout)
        self._retire(rollout, {version.digest for version in servers})
        self._guard(rollout, servers)
        self._route(rollout)

    def remove(self, rollout: ModelRollout) -> None:
        """Do nothing: Kubernetes removes what a rollout owns together with it."""

    def close(self) -> None:
        """Close the connection; the servers stay."""
        self._kube.close()

    def _follow_split(self, rollout: ModelRollout) -> None:
        split = rollout.status.split
        if split is None:
            return
        self._ensure("Service", rollout, specs.arm_service(rollout, "stable", split.stable))
        # Without a candidate its Service stays: a route that names it must not break.
        candidate = split.candidate or split.stable
        self._ensure("Service", rollout, specs.arm_service(rollout, "candidate", candidate))

    def _guard(self, rollout: ModelRollout, servers: Sequence[VersionRef]) -> None:
        """Let a drain evict the pods of each version one after the other."""
        deployments = self._live.of(rollout.name, "Deployment")
        live = {made["metadata"]["name"]: made for made in deployments}
        for version in servers:
            name = specs.server_name(rollout.name, version.digest)
            owner = live.get(name)
            if owner is None or owner["metadata"]["uid"] in self._guarded:
                continue
            path = f"{_BUDGETS}/namespaces/{self._kube.namespace}/poddisruptionbudgets/{name}"
            budget = specs.disruption_budget(rollout, version, owner)
            self._kube.apply(path, budget, specs.MANAGER)
            self._guarded.add(owner["metadata"]["uid"])

    def _route(self, rollout: ModelRollout) -> None:
        """Apply the HTTPRoute; last, so that all else works in a cluster without Gateway API."""
        split = rollout.status.split
        if not self._parents or split is None:
            return
        route = specs.http_route(rollout, split, self._parents)
        desired_hash = route["metadata"]["annotations"][specs.HASH_ANNOTATION]
        if self._routes.get(rollout.uid) != desired_hash:
            path = f"{_ROUTES}/namespaces/{self._kube.namespace}/httproutes/{rollout.name}"
            self._kube.apply(path, route, specs.MANAGER)
            self._routes[rollout.uid] = desired_hash

    def _ensure(self, kind: str, rollout: ModelRollout, desired: Object) -> None:
        name = desired["metadata"]["name"]
        live = next(
            (one for one in self._live.of(rollout.name, kind) if one["metadata"]["name"] == name),
            None,
        )
        if live is not None and specs.RETIRE_ANNOTATION in _annotations(live):
            # Wanted again while it drained. Taken off as it was put on: by a patch. It changes the
            # object's version, so that a removal decided by a leader of before comes too late.
            live = self._kube.merge(self._path(kind, name), _retirement(None), specs.MANAGER)
            self._live.note(live)
        if live is not None and self._is_as_asked(live, desired):
            return
        applied = self._kube.apply(self._path(kind, name), desired, specs.MANAGER)
        self._applied[applied["metadata"]["uid"], kind] = applied["metadata"].get("generation", 0)
        self._live.note(applied)

    def _is_as_asked(self, live: Object, desired: Object) -> bool:
        metadata = live["metadata"]
        if (
            _annotations(live).get(specs.HASH_ANNOTATION)
            != _annotations(desired)[specs.HASH_ANNOTATION]
        ):
            return False
        key = (metadata["uid"], live["kind"])
        generation: int = metadata.get("generation", 0)
        # A higher generation than ours is an edit by somebody else, which is put right again.
        return generation <= self._applied.setdefault(key, generation)

    def _retire(self, rollout: ModelRollout, kept: set[str]) -> None:
        """Drain servers that are not wanted, then delete them.

        Deletions require the observed resource version, so that an operator that was replaced
        cannot delete what its successor keeps.
        """
        now = self._clock()
        for made in self._live.of(rollout.name, "Deployment"):
            name, annotations = made["metadata"]["name"], _annotations(made)
            if annotations.get(specs.DIGEST_ANNOTATION) in kept:
                continue
            path = self._path("Deployment", name)
            due = annotations.get(specs.RETIRE_ANNOTATION)
            if due is None:
                later = now + timedelta(seconds=self._drain_seconds)
                fence = {"resourceVersion": made["metadata"]["resourceVersion"]}
                asked = _retirement(later.isoformat(), fence)
                self._live.note(self._kube.merge(path, asked, specs.MANAGER))
            elif now >= datetime.fromisoformat(due):
                self._kube.delete(path, made)
                self._live.forget(made)
        self._remove_services(rollout, kept)

    def _remove_services(self, rollout: ModelRollout, digests: set[str]) -> None:
        """Delete Services of versions without a Deployment."""
        kept = {made["metadata"]["name"] for made in self._live.of(rollout.name, "Deployment")}
        kept |= {specs.server_name(rollout.name, digest) for digest in digests}
        for service in self._live.of(rollout.name, "Service"):
            metadata = service["metadata"]
            if metadata["name"] not in kept and specs.ARM_LABEL not in metadata["labels"]:
                self._kube.delete(self._path("Service", metadata["name"]), service)
                self._live.forget(service)

    def _path(self, kind: str, name: str) -> str:
        return f"{KINDS[kind]}/namespaces/{self._kube.namespace}/{kind.lower()}s/{name}"

    def _in_cluster(self, digest: str, service: str) -> str:
        return f"http://{service}.{self._kube.namespace}.svc:{specs.PORT}"


def _annotations(obj: Object) -> dict[str, str]:
    annotations: dict[str, str] = obj["metadata"].get("annotations", {})
    return annotations


def _retirement(at: str | None, fence: Object | None = None) -> Object:
    return {"metadata": {**(fence or {}), "annotations": {specs.RETIRE_ANNOTATION: at}}}


def ends(
    pods: list[Object], digest: str | None, named: str = specs.CONTAINER
) -> tuple[int, str | None]:
    """Return the number of crashes of a version's servers, and why its package was refused, if so.

    Args:
        pods: Pods of the rollout.
        digest: Digest of the version, a label of its pods.
        named: Name of the serving container.
    """
    crashes, refusal = 0, None
    for pod in pods:
        if pod["metadata"].get("labels", {}).get(specs.DIGEST_LABEL) != digest or _disrupted(pod):
            continue
        for container in pod.get("status", {}).get("containerStatuses", []):
            if container["name"] != named:
                continue
            ends = [container.get(when, {}).get("terminated") for when in ("state", "lastState")]
            for end in filter(None, ends):
                if end["exitCode"] == PACKAGE_REFUSED:
                    words = str(end.get("message", "")).strip().splitlines()
                    refusal = words[-1] if words else "The model server refused the package."
            if any(end and _is_crash(end) for end in ends):
                crashes += int(container.get("restartCount", 0)) or 1
    return crashes, refusal


def _disrupted(pod: Object) -> bool:
    """Return whether the cluster has ended a pod: its node was full, drained, shut down or lost."""
    return any(
        condition["type"] == "DisruptionTarget" and condition["status"] == "True"
        for condition in pod.get("status", {}).get("conditions", [])
    )


def _is_crash(end: Object) -> bool:
    """Return whether a server has ended by its own fault.

    One that found the artifact store away says nothing about its version, nor does one whose end
    nobody saw: its node has restarted.
    """
    return end["exitCode"] not in (0, STORE_AWAY) and end.get("reason") not in _UNSEEN_ENDS
