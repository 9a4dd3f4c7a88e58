"""Post Kubernetes Events about rollouts, in a background thread."""

import logging
import queue
import threading
from collections.abc import Callable
from datetime import datetime

from serving.operator.specs import MANAGER
from shield.crds.v1alpha1 import GROUP, KIND, VERSION, ModelRollout, Phase, Transition
from shield.errors import ShieldError
from shield.kube import Kube, Object

_log = logging.getLogger(__name__)

REASONS = {
    "install": "Installed",
    "start": "RolloutStarted",
    "step": "StepReached",
    "pause": "Paused",
    "resume": "Resumed",
    "promote": "Promoted",
    "reject": "Rejected",
    "undo": "TakenBack",
    "abort": "Aborted",
    "reinstate": "Reinstated",
}
_WARNINGS = {"pause", "reject", "undo"}


class EventPoster:
    """Posts an Event for each transition and for other changes of phase."""

    def __init__(self, kube: Kube, instance: str, clock: Callable[[], datetime]) -> None:
        self._kube = kube
        self._instance = instance
        self._clock = clock
        self._events: queue.SimpleQueue[Object | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._post, name="events", daemon=True)

    def start(self) -> "EventPoster":
        """Start the thread."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """Post waiting events for a short time, and end the thread."""
        self._events.put(None)
        self._thread.join(2)

    def transition(self, rollout: ModelRollout, done: Transition) -> None:
        """Post an Event about a transition."""
        kind = "Warning" if done.action in _WARNINGS else "Normal"
        message = f"{done.version.name}: {done.reason}"
        if done.action == "undo" and done.previous is not None:
            message = f"{done.version.name} was taken back for {done.previous.name}: {done.reason}"
        self._put(rollout, kind, REASONS[done.action], message)

    def phase(self, before: ModelRollout, after: ModelRollout) -> None:
        """Post an Event about a new phase (paused, degraded, healthy) without a transition."""
        changed = after.status.phase is not before.status.phase
        if not changed or before.status.history != after.status.history:
            return
        kind = "Warning" if after.status.phase is Phase.DEGRADED else "Normal"
        for condition in after.status.conditions:
            if condition.type == "Progressing":  # its reason and message are those of the phase
                self._put(after, kind, condition.reason, condition.message)

    def _put(self, rollout: ModelRollout, kind: str, reason: str, message: str) -> None:
        now = self._clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        event = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"generateName": f"{rollout.name}-", "namespace": self._kube.namespace},
            "involvedObject": {
                "apiVersion": f"{GROUP}/{VERSION}",
                "kind": KIND,
                "name": rollout.name,
                "namespace": self._kube.namespace,
                "uid": rollout.uid,
            },
            "type": kind,
            "reason": reason,
            "message": message[:1024],
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "source": {"component": MANAGER},
            "reportingComponent": MANAGER,
            "reportingInstance": self._instance[:128],
        }
        self._events.put(event)

    def _post(self) -> None:
        while (event := self._events.get()) is not None:
            try:
                self._kube.create(f"/api/v1/namespaces/{self._kube.namespace}/events", event)
            except ShieldError as error:  # an Event is a courtesy: its loss stops nothing
                _log.warning("event not posted", extra={"fields": {"error": error.message}})
