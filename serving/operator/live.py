"""Known objects of the cluster: listed on request, or kept up to date by watch events.

An interrupted watch misses deletions, and a watch that has just started is incomplete. So a list
corrects the watched state before the first decision, and periodically afterwards.
"""

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

    def note(self, obj: Object) -> None:
        """Store an object as returned by the API server."""

    def forget(self, obj: Object) -> None:
        """Remove a deleted object."""


def listing(kube: Kube, kind: str, rollout: str | None = None) -> tuple[list[Object], int]:
    """List the objects of `kind` of one or all rollouts; return them with the list's version."""
    path = f"{KINDS[kind]}/namespaces/{kube.namespace}/{kind.lower()}s"
    label = ROLLOUT_LABEL if rollout is None else selector(rollout)
    answer = kube.get(path, {"labelSelector": label})
    # The items of a list do not say what they are.
    items = [
        {**one, "kind": kind}
        for one in answer["items"]
        if "deletionTimestamp" not in one["metadata"]
    ]
    return items, _version(answer)


class Watched:
    """Keeps objects from watch events; look-ups make no calls. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._objects: dict[tuple[str, str], dict[str, Object]] = defaultdict(dict)
        self._gone: dict[tuple[str, str, str], int] = {}

    def of(self, rollout: str, kind: str) -> list[Object]:
        """Return the objects of `kind` that carry the label of `rollout`."""
        with self._lock:
            return list(self._objects[rollout, kind].values())

    def note(self, obj: Object) -> None:
        """Store an object, unless a later state of it is stored."""
        rollout, kind, name = _place(obj)
        with self._lock:
            known = self._objects[rollout, kind].get(name)
            if known is None or _version(known) <= _version(obj):
                self._objects[rollout, kind][name] = obj
            if "deletionTimestamp" in obj["metadata"]:
                self._objects[rollout, kind].pop(name, None)

    def renew(self, kind: str, items: list[Object], as_of: int) -> None:
        """Replace the objects of `kind` by a list at a version; missing objects are removed.

        Later events are kept.
        """
        with self._lock:
            present = {_place(one): one for one in items}
            for (rollout, of_kind), objects in list(self._objects.items()):
                if of_kind != kind:
                    continue
                for name, known in list(objects.items()):
                    if (rollout, kind, name) not in present and _version(known) <= as_of:
                        del objects[name]
            for (rollout, _, name), one in present.items():
                if self._gone.get((rollout, kind, name), 0) > as_of:
                    continue
                known_one = self._objects[rollout, kind].get(name)
                if known_one is None or _version(known_one) < _version(one):
                    self._objects[rollout, kind][name] = one
            self._gone = {
                place: at for place, at in self._gone.items() if place[1] != kind or at > as_of
            }

    def forget(self, obj: Object) -> None:
        """Remove an object."""
        rollout, kind, name = _place(obj)
        with self._lock:
            self._objects[rollout, kind].pop(name, None)
            self._gone[rollout, kind, name] = _version(obj)


def _place(obj: Object) -> tuple[str, str, str]:
    metadata = obj["metadata"]
    return metadata.get("labels", {}).get(ROLLOUT_LABEL, ""), obj["kind"], metadata["name"]


def _version(obj: Object) -> int:
    # Opaque by contract, but since Kubernetes 1.35 promised to be comparable as a number.
    return int(obj["metadata"]["resourceVersion"])
