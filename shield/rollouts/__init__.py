"""Where rollouts are kept: a database table on a laptop, `ModelRollout` objects on a cluster.

The API writes specs and follows statuses; the operator follows specs and writes statuses. Neither
knows which store it has.
"""

from collections.abc import Callable, Iterator
from typing import Protocol

from shield.crds.v1alpha1 import ModelRollout, ModelRolloutSpec, ModelRolloutStatus
from shield.stop import Stop

SpecChange = Callable[[ModelRolloutSpec | None], ModelRolloutSpec]
"""Given the spec as it is (`None`: there is none), return it as it should be.

It may be called more than once.
"""


class RolloutStore(Protocol):
    """Rollouts by name. Specs and statuses are written apart, each fenced by what was read."""

    def get(self, name: str) -> ModelRollout:
        """Return one rollout.

        Raises:
            NotFound: There is none of this name.
            Invalid: It cannot be read: another version wrote it, or somebody by hand.
            Unavailable: The store does not answer.
        """

    def list(self) -> list[ModelRollout]:
        """Return all rollouts that can be read, by name. Raises `Unavailable`.

        One that cannot be read is logged; `get` says what is wrong with it.
        """

    def change_spec(self, name: str, change: SpecChange) -> ModelRollout:
        """Create or change a spec by optimistic retry; an unchanged spec writes nothing.

        Raises:
            Invalid: The store refuses the spec (another model type).
            VersionRejected: The version was rejected or taken back before.
            Unavailable: The store does not answer.
        """

    def write_status(self, rollout: ModelRollout, status: ModelRolloutStatus) -> ModelRollout:
        """Replace the status; an unchanged one writes nothing.

        Raises:
            Conflict: `rollout.resource_version` is no longer the present one. Read again.
            Unavailable: The store does not answer.
        """

    def delete(self, name: str) -> None:
        """Remove a rollout; a missing one is no error."""

    def watch(self, timeout_seconds: float, stop: Stop | None = None) -> Iterator[ModelRollout]:
        """Yield every rollout once, then each as it changes.

        It ends when nothing has changed for `timeout_seconds`, and soon after `stop` is set; on a
        cluster with the next change. A removed rollout is yielded once more, as it was last seen,
        with `deleting` set. Changes may be merged, never lost.

        Raises:
            Unavailable: The store does not answer.
        """
