"""Rollouts as `ModelRollout` objects: the `RolloutStore` of a cluster.

Specs and statuses are written with the `resourceVersion` that was read, so the API server itself
fences every write. What may follow what is said twice, here for the message and in the CRD for
everyone else.
"""

from collections.abc import Iterator
from typing import Any

from pydantic import ValidationError

from shield.crds.v1alpha1 import (
    GROUP,
    KIND,
    PLURAL,
    TAKEN_BACK,
    VERSION,
    ModelRollout,
    ModelRolloutSpec,
    ModelRolloutStatus,
)
from shield.errors import Conflict, Invalid, NotFound, Unavailable, VersionRejected
from shield.kube import Kube, Object, WatchExpired
from shield.rollouts import SpecChange
from shield.rollouts.reading import Reader, unreadable
from shield.rollouts.rules import checked_change, rejected_version
from shield.stop import Stop

API_VERSION = f"{GROUP}/{VERSION}"

_Rollouts = list[ModelRollout]  # inside the class, `list` is its method
_ATTEMPTS = 50  # each lost race means that somebody else has won one


class KubernetesRolloutStore:
    """`RolloutStore` in one namespace of a cluster."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube
        self._path = f"/apis/{API_VERSION}/namespaces/{kube.namespace}/{PLURAL}"
        self._reader = Reader()

    @classmethod
    def connect(cls, namespace: str | None = None) -> "KubernetesRolloutStore":
        """Connect to the cluster of this pod, or of the current kubeconfig context.

        Raises:
            Misconfigured: There is none.
        """
        return cls(Kube.connect(namespace))

    def get(self, name: str) -> ModelRollout:
        """Return one rollout."""
        try:
            return parse(self._kube.get(f"{self._path}/{name}"))
        except NotFound as error:
            raise NotFound.of(
                "rollout", name, "`shieldctl rollout list` shows those that exist."
            ) from error

    def list(self) -> _Rollouts:
        """Return all rollouts that can be read, by name."""
        return self._list()[0]

    def change_spec(self, name: str, change: SpecChange) -> ModelRollout:
        """Create or change a spec by optimistic retry; an unchanged spec writes nothing."""
        for _ in range(_ATTEMPTS):
            try:
                present: Object | None = self._kube.get(f"{self._path}/{name}")
            except NotFound:
                present = None
            try:
                return self._try_change(name, present, change)
            except VersionRejected:  # a conflict that no retry resolves
                raise
            except Conflict:
                continue
        raise Unavailable(
            f"The rollout {name!r} is changed by too many writers at once. Try again in a moment.",
            retry_after_seconds=1,
        )

    def _try_change(self, name: str, existing: Object | None, change: SpecChange) -> ModelRollout:
        current = parse(existing) if existing is not None else None
        spec = change(current.spec.model_copy(deep=True) if current else None)
        if current is not None and spec == current.spec:
            return current
        checked_change(current, name, spec)
        try:
            if existing is None:
                body = {"metadata": {"name": name}, "spec": _plain(spec)}
                return parse(self._kube.create(self._path, _typed(body)))
            # Labels, annotations and whatever else others have put there stay as they are.
            return parse(
                self._kube.replace(f"{self._path}/{name}", {**existing, "spec": _plain(spec)})
            )
        except Invalid as error:
            if TAKEN_BACK in error.message:  # it was rejected between reading and writing
                raise rejected_version(name, spec.version.name) from error
            raise

    def write_status(self, rollout: ModelRollout, status: ModelRolloutStatus) -> ModelRollout:
        """Replace the status; an unchanged one writes nothing."""
        if status == rollout.status:
            return rollout
        metadata = {
            "name": rollout.name,
            "uid": rollout.uid,
            "resourceVersion": rollout.resource_version,
        }
        body = _typed(
            {"metadata": metadata, "spec": _plain(rollout.spec), "status": _plain(status)}
        )
        try:
            return parse(self._kube.replace(f"{self._path}/{rollout.name}/status", body))
        except (Conflict, NotFound) as error:
            raise Conflict(
                f"The rollout {rollout.name!r} has changed since it was read "
                f"(resource version {rollout.resource_version}). Read it again."
            ) from error

    def delete(self, name: str) -> None:
        """Remove a rollout; a missing one is no error."""
        self._kube.delete(f"{self._path}/{name}")

    def watch(self, timeout_seconds: float, stop: Stop | None = None) -> Iterator[ModelRollout]:
        """Yield every rollout once, then each as it changes."""
        known: dict[str, ModelRollout] = {}
        while True:
            rollouts, names, version = self._list()
            yield from _differences(known, rollouts, names)
            try:
                for kind, listed in self._kube.watch(
                    self._path, version, idle_seconds=timeout_seconds
                ):
                    name, deleted = listed["metadata"]["name"], kind == "DELETED"
                    gone = known.pop(name, None) if deleted else None
                    for rollout in [gone] if gone else self._reader.read([listed], parse):
                        if not deleted:
                            known[name] = rollout
                        yield rollout.model_copy(update={"deleting": True}) if deleted else rollout
                    if stop is not None and stop.is_set():
                        return
            except WatchExpired:
                continue
            return

    def _list(self) -> tuple[_Rollouts, set[str], str]:
        """Return those that can be read, the names of all, and the version of the list."""
        listing = self._kube.get(self._path)
        rollouts = sorted(self._reader.read(listing["items"], parse), key=lambda one: one.name)
        names = {item["metadata"]["name"] for item in listing["items"]}
        return rollouts, names, listing["metadata"]["resourceVersion"]


def parse(existing: Object) -> ModelRollout:
    """Return the rollout that an object holds.

    Raises:
        Invalid: It was written by a newer version of this product.
    """
    metadata = existing["metadata"]
    try:
        return ModelRollout(
            name=metadata["name"],
            uid=metadata["uid"],
            generation=metadata.get("generation", 1),
            resource_version=metadata["resourceVersion"],
            spec=ModelRolloutSpec.model_validate(existing["spec"]),
            status=ModelRolloutStatus.model_validate(existing.get("status") or {}),
            deleting="deletionTimestamp" in metadata,
        )
    except ValidationError as error:
        raise unreadable(metadata["name"], error) from error


def _differences(known: dict[str, ModelRollout], rollouts: _Rollouts, names: set[str]) -> _Rollouts:
    """Return what a new list changes, and bring `known` up to date.

    One that can no longer be read is not gone: its servers stay as they are.
    """
    gone = [
        known.pop(name).model_copy(update={"deleting": True})
        for name in sorted(known.keys() - names)
    ]
    changed = [
        rollout
        for rollout in rollouts
        if rollout.name not in known
        or known[rollout.name].resource_version != rollout.resource_version
    ]
    known.update({rollout.name: rollout for rollout in changed})
    return [*changed, *gone]


def _plain(part: ModelRolloutSpec | ModelRolloutStatus) -> Any:
    return part.model_dump(mode="json", by_alias=True, exclude_none=True)


def _typed(body: Object) -> Object:
    return {"apiVersion": API_VERSION, "kind": KIND, **body}
