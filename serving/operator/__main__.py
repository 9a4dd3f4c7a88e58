"""The operator on a cluster: `python -m serving.operator`."""

import asyncio
import json
import logging
import os
import socket
import sys
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import kopf

from serving.operator.cluster import Cluster
from serving.operator.deployments import Address, KubernetesCluster
from serving.operator.driver import Driver
from serving.operator.events import EventPoster
from serving.operator.handlers import ClusterOperator
from serving.operator.kserve import KServeCluster
from serving.operator.kserve.settings import KServeSettings
from serving.operator.lease import LeaderLease
from serving.operator.live import Watched
from serving.operator.log import log_to_stderr
from serving.operator.settings import ApiAccess, OperatorSettings
from serving.operator.specs import CONTAINER
from serving.operator.telemetry import Telemetry, serve
from serving.operator.witness import ApiWitness, api_client
from shield.crds.v1alpha1 import ModelRollout, Transition
from shield.errors import Misconfigured, ShieldError
from shield.kube import Kube, Object
from shield.rollouts.kubernetes import KubernetesRolloutStore

_log = logging.getLogger(__name__)
_STANDSTILL_SECONDS = 120.0


@dataclass
class Running:
    """The wired parts of an operator; `run` blocks until it is stopped."""

    kube: Kube
    operator: ClusterOperator
    lease: LeaderLease
    witness: ApiWitness
    events: EventPoster
    cluster: Cluster
    telemetry: Telemetry
    settings: OperatorSettings
    leading: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether all loops run; if not, the process must be restarted."""
        if self.leading is None:
            return True
        quiet = time.monotonic() - self.operator.ticked_at
        return self.leading.is_alive() and quiet < _STANDSTILL_SECONDS

    def run(self, stop: threading.Event) -> None:
        """Watch and reconcile until `stop` is set, or SIGTERM arrives in the main thread."""

        def lead(held: bool) -> None:
            self.telemetry.leads(held)
            if held:
                self.operator.wake_all()

        leading = threading.Thread(target=self.lease.run, args=(stop, lead), name="lease")
        leading.start()
        self.leading = leading
        self.witness.start()
        self.events.start()
        try:
            asyncio.run(self._watch(stop))
        finally:
            stop.set()
            leading.join(5)
            self.witness.stop()
            self.events.stop()
            self.cluster.close()

    async def _watch(self, stop: threading.Event) -> None:
        registry = kopf.OperatorRegistry()
        self.operator.register(registry)

        @kopf.on.cleanup(registry=registry)
        async def end(**_: object) -> None:
            # The Lease is released now, and `pass_on` ends: kopf would wait five seconds for it.
            stop.set()

        # kopf takes the signals of the main thread itself. A flag of asyncio, because kopf would
        # wait for one of `threading` in a thread that nothing wakes.
        flag = asyncio.Event()

        async def pass_on() -> None:
            while not stop.is_set():
                await asyncio.sleep(0.1)
            flag.set()

        passing = asyncio.create_task(pass_on())
        try:
            await kopf.operator(
                registry=registry,
                namespaces=[self.kube.namespace],
                standalone=True,
                stop_flag=flag,
            )
        finally:
            passing.cancel()


def wire(
    kube: Kube,
    template: Object,
    settings: OperatorSettings,
    access: ApiAccess,
    *,
    address: Address | None = None,
    identity: str | None = None,
) -> Running:
    """Wire the parts of an operator.

    Args:
        kube: Connection to the cluster.
        template: PodTemplate of the model servers.
        settings: The operator's settings.
        access: Access to the API.
        address: Returns the address of a version; default: its Service's name.
        identity: Identity of this process in the Lease; default: host and process id.
    """
    live, telemetry = Watched(), Telemetry()
    identity = identity or f"{socket.gethostname()}-{os.getpid()}"
    lease = LeaderLease(
        kube,
        settings.lease,
        identity,
        duration_seconds=settings.lease_seconds,
        renew_seconds=settings.lease_seconds / 7,
    )
    events = EventPoster(kube, identity, _now)
    kserve = KServeSettings()
    cluster: Cluster
    if kserve.enabled:
        cluster = KServeCluster(kube, live, template=template, settings=kserve)
    else:
        cluster = KubernetesCluster(
            kube,
            live,
            template=template,
            clock=_now,
            drain_seconds=settings.drain_seconds,
            parents=settings.gateways,
            address=address,
        )
    witness = ApiWitness(
        lambda: api_client(access),
        evidence_seconds=settings.evidence_seconds,
        arrived=lambda name: operator.wake(name),
    )

    def announce(before: ModelRollout, after: ModelRollout, new: list[Transition]) -> None:
        for done in new:
            events.transition(after, done)
        events.phase(before, after)

    driver = Driver(
        KubernetesRolloutStore(kube),
        cluster,
        witness,
        _now,
        announce=announce,
        may_write=lambda: lease.held,
    )
    operator = ClusterOperator(
        kube, driver, live, lease, telemetry, tick_seconds=max(settings.tick_seconds, 1.0)
    )
    return Running(kube, operator, lease, witness, events, cluster, telemetry, settings)


def read_template(settings: OperatorSettings) -> Object:
    """Return the PodTemplate that the settings name.

    Raises:
        Misconfigured: The file is missing, not JSON, or has no container `model-server`.
    """
    path = settings.server_template
    cure = (
        "Set `SHIELD_OPERATOR_SERVER_TEMPLATE` to a JSON file with the PodTemplate of the servers."
    )
    if path is None:
        raise Misconfigured(f"No template of the model servers is given. {cure}")
    try:
        template: Any = json.loads(path.read_text())
        names = [container["name"] for container in template["spec"]["containers"]]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"The template {path} cannot be used ({error}). {cure}") from error
    if CONTAINER not in names:
        raise Misconfigured(f"The template {path} has no container {CONTAINER!r}. {cure}")
    pod_template: Object = template
    return pod_template


def _now() -> datetime:
    return datetime.now(UTC)


def main() -> int:
    """Run until SIGTERM."""
    log_to_stderr()
    logging.getLogger("kopf").setLevel(logging.WARNING)
    stop = threading.Event()
    try:
        settings, access, _ = OperatorSettings(), ApiAccess(), KServeSettings()
        template = read_template(settings)
        kube = Kube.connect(settings.namespace)
        KubernetesRolloutStore(kube).list()
        access.read_token()
    except ShieldError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    running = wire(kube, template, settings, access)
    server = serve(
        running.telemetry,
        settings.metrics_port,
        alive=lambda: running.alive and not stop.is_set(),
        ready=lambda: not stop.is_set(),
        refresh=lambda: running.telemetry.calls(kube.calls),
    )
    _log.info("started", extra={"fields": {"namespace": kube.namespace, "api": access.url}})
    try:
        running.run(stop)
    finally:
        server.shutdown()
    _log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
