"""KServe with Knative, played on the API server of the tests: revisions, pods and status.

Their controllers come as images alone; kwok plays the pods. What this does is what KServe 0.16 and
Knative 1.19 publish as source: any difference in the predictor but the share is a new revision; a
share is taken from the revision rolled out last; at 100 % the latest is rolled out; a roll-out that
is taken back to less returns to the one before; revisions that no route names lose their pods.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from serving.operator.kserve.objects import API, REVISION_LABEL
from shield.errors import Conflict, NotFound, Unavailable
from shield.kube import Kube, Object

# What Knative's webhook lets through (PodSpecMask, ContainerMask), without any of its features.
_POD_FIELDS = {
    *("serviceAccountName", "automountServiceAccountToken", "imagePullSecrets", "volumes"),
    *("containers", "enableServiceLinks"),
}
_COMPONENT_FIELDS = {"labels", "annotations", "minReplicas", "maxReplicas", "canaryTrafficPercent"}
_CONTAINER_FIELDS = {
    *("name", "args", "command", "env", "workingDir", "envFrom", "image", "imagePullPolicy"),
    *("livenessProbe", "ports", "readinessProbe", "resources", "securityContext", "startupProbe"),
    *("terminationMessagePath", "terminationMessagePolicy", "volumeMounts"),
}


@dataclass
class _Service:
    """What Knative remembers of one InferenceService."""

    revisions: dict[str, str] = field(default_factory=dict)
    """Name -> what it was made of."""
    rolled_out: str = ""
    before: str = ""
    latest_ready: str = ""


class KServe:
    """Plays both controllers in one namespace until it is stopped."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._services: dict[str, _Service] = {}
        self.refused: list[str] = []
        """What Knative's webhook would have refused."""

    def play(self, stop: threading.Event) -> None:
        """Reconcile until `stop` is set."""
        path = f"{API}/namespaces/{self._kube.namespace}/inferenceservices"
        while not stop.wait(0.1):
            try:
                for found in self._kube.get(path)["items"]:
                    self._reconcile(found)
            except (Conflict, NotFound, Unavailable):
                continue  # it has changed or gone meanwhile; the next look sees it

    def _reconcile(self, found: Object) -> None:
        name, predictor = found["metadata"]["name"], found["spec"]["predictor"]
        self._check(predictor)
        known = self._services.setdefault(name, _Service())
        content = {key: value for key, value in predictor.items() if key != "canaryTrafficPercent"}
        made_of = json.dumps(
            [content, found["metadata"].get("labels"), found["metadata"].get("annotations")],
            sort_keys=True,
        )
        created = next(reversed(known.revisions), "")
        if known.revisions.get(created) != made_of:
            created = f"{name}-predictor-{len(known.revisions) + 1:05d}"
            known.revisions[created] = made_of
            for number in range(predictor["minReplicas"]):
                self._start(f"{created}-{number}", created, predictor)
        if created != known.latest_ready and self._ready(created):
            known.latest_ready = created
        percent = predictor.get("canaryTrafficPercent")
        traffic = self._route(known, created, percent)
        self._stop_unnamed(known, {created, *(one["revisionName"] for one in traffic)})
        component = {
            "latestCreatedRevision": created,
            "latestReadyRevision": known.latest_ready,
            "latestRolledoutRevision": known.rolled_out,
            "previousRolledoutRevision": known.before,
            "traffic": traffic,
        }
        status = {"components": {"predictor": component}}
        if found.get("status", {}).get("components") != status["components"]:
            path = f"{API}/namespaces/{self._kube.namespace}/inferenceservices/{name}/status"
            self._kube.merge(path, {"status": status}, "kserve")

    def _route(self, known: _Service, created: str, percent: int | None) -> list[Object]:
        latest, earlier = known.latest_ready, known.rolled_out
        if not latest:
            return []
        if percent is None or not earlier or percent == 100:
            if known.rolled_out != latest:
                known.before, known.rolled_out = known.rolled_out, latest
            return [{"revisionName": latest, "latestRevision": True, "percent": 100}]
        if earlier == latest == created and known.before:
            known.rolled_out = earlier = known.before
        return [
            {"revisionName": latest, "latestRevision": True, "percent": percent},
            {"revisionName": earlier, "percent": 100 - percent, "tag": "prev"},
        ]

    def _check(self, predictor: Object) -> None:
        extra = predictor.keys() - _POD_FIELDS - _COMPONENT_FIELDS
        for container in predictor["containers"]:
            extra |= container.keys() - _CONTAINER_FIELDS
        self.refused += sorted(extra - set(self.refused))

    def _start(self, name: str, revision: str, predictor: Object) -> None:
        container = predictor["containers"][0]
        pod: dict[str, Any] = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": name, "labels": {**predictor["labels"], REVISION_LABEL: revision}},
            "spec": {
                "nodeName": "node-0",
                "containers": [{"name": container["name"], "image": container["image"]}],
            },
        }
        self._kube.create(self._pods(), pod)

    def _ready(self, revision: str) -> bool:
        pods = self._of(revision)
        return bool(pods) and all(
            any(
                one["type"] == "Ready" and one["status"] == "True"
                for one in pod.get("status", {}).get("conditions", [])
            )
            for pod in pods
        )

    def _stop_unnamed(self, known: _Service, named: set[str]) -> None:
        for revision in known.revisions:
            if revision not in named:
                for pod in self._of(revision):
                    self._kube.delete(f"{self._pods()}/{pod['metadata']['name']}")

    def _of(self, revision: str) -> list[Object]:
        selector = {"labelSelector": f"{REVISION_LABEL}={revision}"}
        found: list[Object] = self._kube.get(self._pods(), selector)["items"]
        return found

    def _pods(self) -> str:
        return f"/api/v1/namespaces/{self._kube.namespace}/pods"


@contextmanager
def played_kserve(kube: Kube) -> Iterator[KServe]:
    """Play KServe for as long as the block lasts."""
    stop, kserve = threading.Event(), KServe(kube)
    thread = threading.Thread(target=kserve.play, args=(stop,))
    thread.start()
    try:
        yield kserve
    finally:
        stop.set()
        thread.join(10)
