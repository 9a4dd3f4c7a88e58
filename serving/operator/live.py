"""What is known of the objects in a cluster: listed when asked, or kept from watched events."""

import threading
from collections import defaultdict
from typing import Protocol

from serving.operator.specs import ROLLOUT_LABEL, selector
from shield.kube import Kube, Object

KINDS = {"Deployment": "/apis/apps/v1", "Service": "/api/v1", "Pod": "/api/v1"}


class LiveObjects(Protocol):
    """The objects of a rollout, by kind."""

    def of(self, rollout: str, kind: str) -> list[Object]:
        """Return the objects of `kind` that carry the label of `rollout`."""

    def note(self, found: Object) -> None:
        """Take an object as the API server has just returned it."""

    def forget(self, found: Object) -> None:
        """Take note that an object was removed."""


class Listed:
    """Asks the API server each time: for tests and for few rollouts."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    def of(self, rollout: str, kind: str) -> list[Object]:
        """Return the objects of `kind` that carry the label of `rollout`."""
        path = f"{KINDS[kind]}/namespaces/{self._kube.namespace}/{kind.lower()}s"
        found: list[Object] = self._kube.get(path, {"labelSelector": selector(rollout)})["items"]
        # The items of a list do not say what they are.
        return [
            {**one, "kind": kind} for one in found if "deletionTimestamp" not in one["metadata"]
        ]

    def note(self, found: Object) -> None:
        """Nothing is kept."""

    def forget(self, found: Object) -> None:
        """Nothing is kept."""


class Watched:
    """Keeps what events have told; asking costs no call. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[tuple[str, str], dict[str, Object]] = defaultdict(dict)

    def of(self, rollout: str, kind: str) -> list[Object]:
        """Return the objects of `kind` that carry the label of `rollout`."""
        with self._lock:
            return list(self._objects[rollout, kind].values())

    def note(self, found: Object) -> None:
        """Keep an object, unless a later state of it is known already."""
        rollout, kind, name = _place(found)
        with self._lock:
            known = self._objects[rollout, kind].get(name)
            if known is None or _version(known) <= _version(found):
                self._objects[rollout, kind][name] = found
            if "deletionTimestamp" in found["metadata"]:
                self._objects[rollout, kind].pop(name, None)

    def forget(self, found: Object) -> None:
        """Drop an object."""
        rollout, kind, name = _place(found)
        with self._lock:
            self._objects[rollout, kind].pop(name, None)


def _place(found: Object) -> tuple[str, str, str]:
    metadata = found["metadata"]
    return metadata.get("labels", {}).get(ROLLOUT_LABEL, ""), found["kind"], metadata["name"]


def _version(found: Object) -> int:
    # Opaque by contract, but since Kubernetes 1.35 promised to be comparable as a number.
    return int(found["metadata"]["resourceVersion"])
