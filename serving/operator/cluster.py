"""Interface to what runs model servers: processes on a laptop, Deployments on Kubernetes."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from serving.operator.state import ServerSeen
from shield.crds.v1alpha1 import ModelRollout, VersionRef


class Cluster(Protocol):
    """Runs model servers by rollout and version. Level-triggered: calls are idempotent."""

    def observe(self, rollout: ModelRollout) -> Mapping[str, ServerSeen]:
        """Return the current servers of a rollout, by digest.

        Raises:
            Unavailable: The cluster does not answer; the state of the servers is unknown.
        """

    def apply(self, rollout: ModelRollout, servers: Sequence[VersionRef]) -> None:
        """Start missing servers, and retire those not listed.

        A retired server answers for a drain time, so that requests routed by the previous split
        still succeed.

        Raises:
            Unavailable: The cluster does not answer.
        """

    def remove(self, rollout: ModelRollout) -> None:
        """Retire all servers of a deleted rollout. Not an error if there are none.

        Raises:
            Unavailable: The cluster does not answer.
        """

    def close(self) -> None:
        """Release resources: servers end with the operator on a laptop, and stay on Kubernetes."""
