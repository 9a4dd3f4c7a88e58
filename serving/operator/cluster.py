"""The door to whatever runs model servers: processes on a laptop, Deployments on Kubernetes."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from serving.operator.state import ServerSeen
from shield.crds.v1alpha1 import ModelRollout, VersionRef


class Cluster(Protocol):
    """Model servers, by rollout and version. Level-triggered: repeating a call is free."""

    def observe(self, rollout: ModelRollout) -> Mapping[str, ServerSeen]:
        """Return the servers of a rollout as they are now, by digest.

        Raises:
            Unavailable: The cluster does not answer. Nothing may be concluded from that.
        """

    def apply(self, rollout: ModelRollout, servers: Sequence[VersionRef]) -> None:
        """Bring up what is missing, and retire what is not named.

        Servers that are retired go on answering for a drain time, so that requests routed by the
        last split still succeed.

        Raises:
            Unavailable: The cluster does not answer.
        """

    def remove(self, rollout: ModelRollout) -> None:
        """Retire every server of a rollout that is gone; none is no error.

        Raises:
            Unavailable: The cluster does not answer.
        """

    def close(self) -> None:
        """Let go: servers end with their operator on a laptop, and stay on Kubernetes."""
