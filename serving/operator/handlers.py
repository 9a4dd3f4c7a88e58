"""The operator on a cluster: kopf watches, one function reconciles.

Events only signal *that* something has changed; decisions follow from the state. So one function,
`ClusterOperator.reconcile`, is called for events of the rollout, its Deployments and pods, for new
evidence, and by a timer. Plain `on.event` handlers add no finalizers or annotations, so that an
uninstall never hangs, whatever is removed first.

Nothing is decided before all objects were listed once: in a watch that has just started, running
servers would seem absent. The list is repeated periodically, because an interrupted watch misses
deletions.
"""

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import kopf

from serving.operator.driver import Driver
from serving.operator.lease import LeaderLease
from serving.operator.live import KINDS, Watched, listing
from serving.operator.specs import RETIRE_ANNOTATION, ROLLOUT_LABEL
from serving.operator.telemetry import Telemetry
from shield.crds.v1alpha1 import GROUP, PLURAL, VERSION, ModelRollout, Phase
from shield.errors import Invalid, ShieldError
from shield.kube import Kube
from shield.rollouts.kubernetes import parse

_log = logging.getLogger(__name__)
_OWNED = (("apps", "v1", "deployments"), ("", "v1", "services"), ("", "v1", "pods"))
_LIST_SECONDS = 300.0
_LIST_AFTER_FAULT_SECONDS = 3.0
_INACTIVITY_SECONDS = 75
"""After so much silence a watch is started anew. Until then a watch that a network has forgotten
(its connection neither delivers nor ends) looks like one without events."""
_REST_SECONDS = 30.0  # a rollout at rest waits for nothing that a clock could tell


def list_pause(now: float, faulted_at: float | None) -> float:
    """Return the seconds between two lists of all objects. Pure.

    Args:
        now: Monotonic seconds.
        faulted_at: When a call of the API server last failed; `None` if none has.
    """
    doubtful = faulted_at is not None and now - faulted_at < 2 * _INACTIVITY_SECONDS
    return _LIST_AFTER_FAULT_SECONDS if doubtful else _LIST_SECONDS


class ClusterOperator:
    """Follows rollouts and their objects, and reconciles while it is the leader.

    Args:
        kube: Connection to the cluster, for lists.
        driver: Decides and writes.
        live: Receives the events of Deployments, Services and pods.
        lease: The lease of the leader.
        telemetry: The metrics.
        tick_seconds: Longest time between two reconciles of a rollout that is waiting.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self,
        kube: Kube,
        driver: Driver,
        live: Watched,
        lease: LeaderLease,
        telemetry: Telemetry,
        *,
        tick_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._kube = kube
        self._driver = driver
        self._live = live
        self._lease = lease
        self._telemetry = telemetry
        self._tick_seconds = tick_seconds
        self._clock = clock
        self._rollouts: dict[str, ModelRollout] = {}
        self._locks: dict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._waiting: set[str] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._listed_at: float | None = None
        self._faulted_at: float | None = None
        self._looked_at: dict[str, float] = {}
        self.ticked_at = clock()
        """Time of the timer's latest run; a stopped timer requires a restart of the process."""

    def wake(self, name: str) -> None:
        """Request a reconcile of the rollout `name`. Thread-safe."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._spawn, name)

    def wake_all(self) -> None:
        """Request a reconcile of every rollout. Thread-safe."""
        for name in list(self._rollouts):
            self.wake(name)

    async def reconcile(self, name: str) -> None:
        """Reconcile one rollout. Calls for one rollout never overlap."""
        if name in self._waiting:  # one that waits will see whatever has changed by then
            return
        self._waiting.add(name)
        async with self._locks[name]:
            self._waiting.discard(name)
            rollout = self._rollouts.get(name)
            if rollout is None or self._listed_at is None or not self._lease.held:
                return
            self._looked_at[name] = self._clock()
            try:
                after = await asyncio.to_thread(self._reconciled, rollout)
            except ShieldError as error:  # the next event or tick tries again
                self._telemetry.failed(error.slug)
                self._looked_at.pop(name, None)
                self._faulted_at = self._clock()
                _log.warning(
                    "not reconciled", extra={"fields": {"rollout": name, "error": error.message}}
                )
                return
            except Exception:  # noqa: BLE001 - one rollout's bug must not stop all the others
                self._telemetry.failed("bug")
                self._looked_at.pop(name, None)
                _log.exception("not reconciled", extra={"fields": {"rollout": name}})
                return
            if self._rollouts.get(name) is rollout:  # no event has brought a later state meanwhile
                self._rollouts[name] = after

    def _reconciled(self, rollout: ModelRollout) -> ModelRollout:
        """Reconcile in a thread; the wait for the thread is not measured."""
        began = self._clock()
        after = self._driver.reconcile(rollout)
        self._telemetry.reconciled(self._clock() - began)
        return after

    async def run_timer(self) -> None:
        """Reconcile all rollouts periodically, for changes that only time causes."""
        while True:
            self.ticked_at = now = self._clock()
            pause = list_pause(now, self._last_fault())
            if self._listed_at is None or now - self._listed_at >= pause:
                await self._list()
            self._telemetry.rollouts([one.status.phase for one in self._rollouts.values()])
            for name, rollout in list(self._rollouts.items()):
                rests = _REST_SECONDS if self._at_rest(rollout) else 0.0
                if now - self._looked_at.get(name, -rests) >= rests:
                    await self.reconcile(name)
            await asyncio.sleep(self._tick_seconds)

    def _last_fault(self) -> float | None:
        """Return when the API server was last out of reach, for any of this process's calls."""
        known = [at for at in (self._faulted_at, self._lease.faulted_at) if at is not None]
        return max(known, default=None)

    async def _list(self) -> None:
        """List all objects, independently of events."""
        path = f"/apis/{GROUP}/{VERSION}/namespaces/{self._kube.namespace}/{PLURAL}"
        try:
            owned = {kind: await asyncio.to_thread(listing, self._kube, kind) for kind in KINDS}
            obj = await asyncio.to_thread(self._kube.get, path)
        except ShieldError as error:  # what was known stays; the next tick tries again
            _log.warning("nothing listed", extra={"fields": {"error": error.message}})
            self._faulted_at = self._clock()
            return
        for kind, (objects, as_of) in owned.items():
            self._live.renew(kind, objects, as_of)
        for one in obj["items"]:
            self._take(one)
        present = {one["metadata"]["name"] for one in obj["items"]}
        for name, known in list(self._rollouts.items()):
            newer = int(known.resource_version) > int(obj["metadata"]["resourceVersion"])
            if name not in present and not newer:
                self._drop(name)
        self._listed_at = self._clock()
        self._looked_at.clear()  # each is due

    def _take(self, obj: Any) -> None:
        """Store a rollout, unless a later state of it is stored."""
        try:
            rollout = parse(obj)
        except Invalid as error:
            _log.error("unreadable", extra={"fields": {"error": error.message}})
            return
        known = self._rollouts.get(rollout.name)
        if known is None or int(known.resource_version) <= int(rollout.resource_version):
            self._rollouts[rollout.name] = rollout

    def _drop(self, name: str) -> None:
        self._rollouts.pop(name, None)
        self._looked_at.pop(name, None)

    def _at_rest(self, rollout: ModelRollout) -> bool:
        """Return whether only an event, and not time, can change the decision."""
        status = rollout.status
        drains = any(
            RETIRE_ANNOTATION in made["metadata"].get("annotations", {})
            for made in self._live.of(rollout.name, "Deployment")
        )
        return status.phase is Phase.HEALTHY and status.candidate is None and not drains

    def _spawn(self, name: str) -> None:
        task = asyncio.get_running_loop().create_task(self.reconcile(name))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def register(self, registry: kopf.OperatorRegistry) -> None:
        """Register the handlers."""
        kopf.on.login(registry=registry)(kopf.login_via_client)

        @kopf.on.startup(registry=registry)
        async def begin(settings: kopf.OperatorSettings, **_: Any) -> None:
            _configure(settings)
            self._loop = asyncio.get_running_loop()
            timer = self._loop.create_task(self.run_timer())
            self._tasks.add(timer)

        @kopf.on.event(GROUP, VERSION, PLURAL, registry=registry)
        async def rollout_changed(event: kopf.RawEvent, **_: Any) -> None:
            watched: Any = event["object"]
            name = watched["metadata"]["name"]
            if event["type"] == "DELETED":
                self._drop(name)
                return
            self._take(watched)
            await self.reconcile(name)

        for group, version, plural in _OWNED:

            @kopf.on.event(
                group, version, plural, labels={ROLLOUT_LABEL: kopf.PRESENT}, registry=registry
            )
            async def owned_changed(event: kopf.RawEvent, **_: Any) -> None:
                watched: Any = event["object"]
                if event["type"] == "DELETED":
                    self._live.forget(watched)
                else:
                    self._live.note(watched)
                await self.reconcile(watched["metadata"]["labels"][ROLLOUT_LABEL])


def _configure(settings: kopf.OperatorSettings) -> None:
    settings.peering.standalone = True  # a Lease elects the leader
    settings.scanning.disabled = True  # no rights on CRDs and namespaces are asked for
    settings.posting.enabled = False  # Events are posted with the transitions
    # A watch that is cut without a word is noticed, and begun anew.
    settings.watching.server_timeout = 300
    settings.watching.client_timeout = 330
    settings.watching.connect_timeout = 10
    settings.watching.inactivity_timeout = _INACTIVITY_SECONDS
    settings.networking.request_timeout = 30
    for _, _, plural in _OWNED:
        settings.watching.label_selectors[plural] = ROLLOUT_LABEL
