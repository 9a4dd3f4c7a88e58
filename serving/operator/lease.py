"""Leader election by a Lease, so that only one of several operators writes.

As in client-go: the holder renews; another process takes over if it has observed no renewal for the
Lease's duration *by its own clock*, so that clocks of nodes need not agree. A holder that cannot
renew stops acting before another may take over.
"""

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime

from shield.errors import Conflict, NotFound, ShieldError
from shield.kube import Kube, Object

_log = logging.getLogger(__name__)
_TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class LeaderLease:
    """Acquires and renews a Lease.

    Args:
        kube: Connection to the cluster.
        name: Name of the Lease, shared by the operators of one installation.
        identity: Unique identity of this process.
        duration_seconds: Time without a renewal after which the holder may be replaced.
        renew_seconds: Interval of renewals, and of checks by the others.
        wall: Returns the current UTC time, written to the Lease.
        clock: Returns monotonic seconds, used for decisions.
    """

    def __init__(
        self,
        kube: Kube,
        name: str,
        identity: str,
        *,
        duration_seconds: float = 15.0,
        renew_seconds: float = 2.0,
        wall: Callable[[], datetime] = lambda: datetime.now(UTC),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kube = kube
        self._name = name
        self._identity = identity
        self._duration = duration_seconds
        self._renew = renew_seconds
        self._wall = wall
        self._clock = clock
        self._path = f"/apis/coordination.k8s.io/v1/namespaces/{kube.namespace}/leases"
        self._held_until = -1.0
        self._last_seen: tuple[str | None, str | None] = (None, None)
        self._last_change = clock()
        self.faulted_at: float | None = None
        """Time of the latest renewal that failed, by `clock`."""

    @property
    def held(self) -> bool:
        """Whether this process may write now."""
        return self._clock() < self._held_until

    def attempt(self) -> bool:
        """Acquire or renew once; return whether the Lease is held.

        Raises:
            Unavailable: The API server does not answer; a held Lease expires by itself.
        """
        began = self._clock()
        try:
            lease = self._kube.get(f"{self._path}/{self._name}")
        except NotFound:
            lease = self._new()
            return self._try(lambda: self._kube.create(self._path, lease), began)
        spec = lease["spec"]
        holder, renewed = spec.get("holderIdentity"), spec.get("renewTime")
        if (holder, renewed) != self._last_seen:
            self._last_seen, self._last_change = (holder, renewed), self._clock()
        patience = float(spec.get("leaseDurationSeconds") or self._duration)
        expired = self._clock() - self._last_change >= patience
        if holder not in (self._identity, "", None) and not expired:
            self._held_until = -1.0
            return False
        now = self._wall().strftime(_TIME_FORMAT)
        taken = holder != self._identity
        lease["spec"] = {
            **spec,
            "holderIdentity": self._identity,
            "leaseDurationSeconds": max(1, round(self._duration)),
            "renewTime": now,
            "acquireTime": now if taken else spec.get("acquireTime", now),
            "leaseTransitions": int(spec.get("leaseTransitions") or 0) + int(taken),
        }
        return self._try(lambda: self._kube.replace(f"{self._path}/{self._name}", lease), began)

    def release(self) -> None:
        """Release the Lease, so that another process can take over at once.

        Also one that was not renewed in time: the others still wait for its end.
        """
        if self._held_until < 0:
            return
        self._held_until = -1.0
        try:
            lease = self._kube.get(f"{self._path}/{self._name}")
            if lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"]["holderIdentity"] = ""
                self._kube.replace(f"{self._path}/{self._name}", lease)
        except ShieldError as error:
            _log.warning("lease not released", extra={"fields": {"error": error.message}})

    def run(self, stop: threading.Event, changed: Callable[[bool], None]) -> None:
        """Retry until `stop` is set; call `changed` on gain and loss of the Lease."""
        held = False
        while not stop.is_set():
            try:
                now_held = self.attempt()
            except ShieldError as error:  # away, or no right to it now: it may come back
                self.faulted_at = self._clock()
                _log.warning("lease not renewed", extra={"fields": {"error": error.message}})
                now_held = self.held
            if now_held != held:
                held = now_held
                _log.info("leader" if held else "follower", extra={"fields": {"lease": self._name}})
                changed(held)
            stop.wait(self._renew)
        self.release()

    def _try(self, write: Callable[[], Object], began: float) -> bool:
        try:
            write()
        except Conflict:  # somebody else was faster
            self._held_until = -1.0
            return False
        # Counted from before the write, and shorter than others wait: no moment with two holders.
        self._held_until = began + self._duration * 2 / 3
        return True

    def _new(self) -> Object:
        now = self._wall().strftime(_TIME_FORMAT)
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._name},
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": max(1, round(self._duration)),
                "acquireTime": now,
                "renewTime": now,
                "leaseTransitions": 0,
            },
        }
