"""Reconcile a rollout: observe, decide, write the status, apply. For any store and cluster."""

import logging
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from serving.operator.cluster import Cluster
from serving.operator.reconcile import desired_state
from serving.operator.state import Observed
from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRollout, Transition
from shield.errors import Conflict, NotFound
from shield.rollouts import RolloutStore

_log = logging.getLogger(__name__)
_MOST_MOVES = 20  # in one go; a rollout that moves more often is left to the next look


class Witness(Protocol):
    """Exchanges evidence and transitions with the API. Neither call may block a reconcile."""

    def evidence(self, rollout: ModelRollout) -> Evidence | None:
        """Return the latest evidence received for the rollout, or `None`."""

    def record(self, rollout: ModelRollout, transitions: list[Transition]) -> None:
        """Queue transitions for the promotion ledger, in order."""


Announce = Callable[[ModelRollout, ModelRollout, list[Transition]], None]
"""Called after each write with the rollout before and after it, and the new transitions."""


class Driver:
    """Reconciles rollouts.

    The status is written before servers change: it contains the split, which is visible to users,
    and the write requires the resource version that was read, so that of two operators only one
    decides.
    """

    def __init__(
        self,
        store: RolloutStore,
        cluster: Cluster,
        witness: Witness,
        clock: Callable[[], datetime],
        *,
        announce: Announce | None = None,
        may_write: Callable[[], bool] = lambda: True,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._witness = witness
        self._clock = clock
        self._announce = announce
        self._may_write = may_write

    def reconcile(self, rollout: ModelRollout) -> ModelRollout:
        """Make all moves of a rollout that are possible now; return the resulting rollout.

        Raises:
            Unavailable: The store or the cluster does not answer; retry.
        """
        if rollout.deleting:
            self._cluster.remove(rollout)
            return rollout
        for _ in range(_MOST_MOVES):
            if not self._may_write():  # no longer the leader
                return rollout
            # Servers last: a crash whose failed requests are known is seen, too.
            evidence = self._witness.evidence(rollout)
            observed = Observed(
                now=self._clock(),
                servers=self._cluster.observe(rollout),
                evidence=evidence,
                generation=rollout.generation,
            )
            want = desired_state(rollout.spec, rollout.status, observed)
            moved = want.status != rollout.status
            if moved:
                try:
                    written = self._store.write_status(rollout, want.status)
                except Conflict:
                    try:
                        rollout = self._store.get(rollout.name)
                    except NotFound:  # removed in between; whoever watches will say so
                        return rollout
                    continue
                self._tell(rollout, written)
                rollout = written
                if not self._may_write():
                    return rollout
            self._cluster.apply(rollout, want.servers)
            self._witness.record(rollout, rollout.status.history)
            if not moved:
                break
        return rollout

    def _tell(self, before: ModelRollout, after: ModelRollout) -> None:
        known = before.status.history[-1].sequence if before.status.history else 0
        new = [done for done in after.status.history if done.sequence > known]
        if self._announce is not None:
            self._announce(before, after, new)
        for done in new:
            fields = {
                "rollout": after.name,
                "action": done.action,
                "version": done.version.name,
                "previous": done.previous and done.previous.name,
                "reason": done.reason,
            }
            _log.info("transition", extra={"fields": fields})
