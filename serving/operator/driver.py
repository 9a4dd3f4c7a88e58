"""Look, decide, write, apply: one reconcile, the same for every store and every cluster."""

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
    """What the API knows and keeps: evidence in, transitions out. Neither may block a reconcile."""

    def evidence(self, rollout: ModelRollout) -> Evidence | None:
        """Return the latest evidence that has arrived for the rollout, if any."""

    def record(self, rollout: ModelRollout, transitions: list[Transition]) -> None:
        """Take transitions to write into the promotion ledger, sooner or later, in their order."""


Announce = Callable[[ModelRollout, ModelRollout, list[Transition]], None]
"""Told after each write: the rollout before and after it, and the transitions that are new."""


class Driver:
    """Reconciles rollouts.

    The status is written before a server is touched: it holds the split, which is what users feel,
    and it is fenced by what was read, so of two operators only one decides.
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
        """Move a rollout as far as it goes now, and return it as it then is.

        Raises:
            Unavailable: The store or the cluster does not answer. Try again.
        """
        if rollout.deleting:
            self._cluster.remove(rollout)
            return rollout
        for _ in range(_MOST_MOVES):
            if not self._may_write():  # no longer the leader
                return rollout
            seen = Observed(
                now=self._clock(),
                servers=self._cluster.observe(rollout),
                evidence=self._witness.evidence(rollout),
                generation=rollout.generation,
            )
            want = desired_state(rollout.spec, rollout.status, seen)
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
