"""A release as it runs: the API, the operator and model servers, each a process of its own.

`laptop` keeps rollouts in a table and lets the operator start the servers. `cluster` keeps them on
a real API server; kwok plays the pods there, so the servers are started here and the operator is
told where they answer.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import yaml

from api.kit.keyring import new_ring
from api.kit.tokens import mint
from serving.operator.processes import model_server_command
from shield.client import ShieldClient
from shield.crds.v1alpha1 import ModelRollout, ModelRolloutSpec, VersionRef
from shield.kube import Kube
from shield.rollouts import RolloutStore
from shield.rollouts.kubernetes import KubernetesRolloutStore
from shield.rollouts.table import TableRolloutStore, rollout_engine
from tests.support.controlplane import ControlPlane, control_plane
from tests.support.controlplane.fixtures import CRD
from tests.support.crds import established
from tests.support.packages import signed_package
from tests.support.rollouts import spec, until
from tests.support.waiting import PATIENCE_SECONDS, wait_until

_LEASES = "/apis/coordination.k8s.io/v1/namespaces/shield/leases"
SECRET = "a-secret-for-tests-only-0123456789abcdef"
DAY = 86400.0


@dataclass
class Stand:
    """A running API and operator."""

    folder: Path
    store: RolloutStore
    url: str
    prepare: Callable[[VersionRef], None] = lambda _: None
    """To be called with a version before it is asked for."""
    kube: Kube | None = None
    """Connection to the cluster, if there is one."""
    operators: list[subprocess.Popen[bytes]] = field(default_factory=list)
    """Of a cluster; one leads."""
    start_operator: Callable[[], subprocess.Popen[bytes]] | None = None

    def token(self, subject: str, *roles: str) -> str:
        """Return a token of `subject`; without roles a plain user's."""
        now = datetime.now(UTC)
        return mint(SECRET, subject, roles or ("user",), now=now, lifetime_seconds=DAY)

    @contextmanager
    def client(self, subject: str, *roles: str) -> Iterator[ShieldClient]:
        """Open a client that calls as `subject`."""
        with ShieldClient(self.url, self.token(subject, *roles)) as client:
            yield client

    def ask(self, **changes: object) -> ModelRollout:
        """Change the spec as the API does."""

        def change(was: ModelRolloutSpec | None) -> ModelRolloutSpec:
            return (was or spec("unused")).model_copy(update=changes)

        return self.store.change_spec("sms", change)

    def until(self, holds: Callable[[ModelRollout], bool]) -> ModelRollout:
        """Wait for a state of the rollout."""
        return until(lambda: self.store.get("sms"), holds, self.logs)

    def until_stable(self, version: VersionRef) -> ModelRollout:
        """Wait until `version` serves."""
        return self.until(lambda it: it.status.stable == version)

    def leader(self) -> int | None:
        """Return the process id of the operator that leads, or `None`."""
        assert self.kube is not None
        lease = self.kube.get(f"{_LEASES}/antispam-shield-operator")
        holder = (lease.get("spec") or {}).get("holderIdentity") or ""
        return int(holder.rpartition("-")[2]) if holder else None

    def hand_over(self, how: signal.Signals) -> float:
        """End the operator that leads by a signal, and return the seconds until another does.

        A new one is started in its place, as a Deployment does.
        """
        assert self.start_operator is not None
        leads = wait_until(self.leader, self.logs)
        (process,) = [one for one in self.operators if one.pid == leads]
        self.operators.remove(process)
        began = time.monotonic()
        process.send_signal(how)
        self.operators.append(self.start_operator())
        others = {one.pid for one in self.operators}
        wait_until(lambda: self.leader() in others, self.logs)
        took = time.monotonic() - began
        process.wait(PATIENCE_SECONDS)
        return took

    def logs(self) -> str:
        """Return the ends of all logs."""
        return "\n".join(path.read_text()[-2000:] for path in self.folder.glob("**/*.log"))


Way = Callable[[str], str]
"""Where a URL is reached: what returns another one lies between, as a bad network does."""


@contextmanager
def laptop(folder: Path, way: Way = str) -> Iterator[Stand]:
    """Rollouts in a table; the operator starts the model servers, and goes `way` to the API."""
    url = f"sqlite:///{folder}/shield.db"
    with _api(folder, {"SHIELD_ROLLOUTS": "table"}) as api:
        store = TableRolloutStore(rollout_engine(url), poll_seconds=0.005)
        operator = {**_operator(way(api)), "SHIELD_OPERATOR_LOG_DIR": f"{folder}/logs"}
        with _process(folder, "operator", operator, "-m", "serving.operator.local"):
            yield Stand(folder, store, api)


@dataclass
class _Servers:
    """Model servers of a cluster whose pods only seem to run."""

    folder: Path
    running: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def addresses(self) -> Path:
        return self.folder / "addresses.json"

    def start(self, version: VersionRef) -> None:
        if len(self.running) > 2:  # the first and the latest are in use
            self.running.pop(list(self.running)[1]).terminate()
        ready = self.folder / f"{version.name}.ready"
        rollout = ModelRollout(name="sms", uid="stand", resource_version="1", spec=spec())
        command = [*model_server_command(rollout, version), "--ready-file", str(ready)]
        with (self.folder / f"{version.name}.log").open("wb") as log:
            self.running[version.digest] = subprocess.Popen(
                command, env=_environment(self.folder), stdout=log, stderr=log
            )
        _wait_for(ready, self.running[version.digest])
        known = json.loads(self.addresses.read_text()) if self.addresses.exists() else {}
        known[version.digest] = f"http://127.0.0.1:{json.loads(ready.read_text())['port']}"
        self.addresses.write_text(json.dumps(known))

    def stop(self) -> None:
        for server in self.running.values():
            server.kill()
            server.wait()


@contextmanager
def cluster(folder: Path, way: Way = str, operators: int = 1) -> Iterator[Stand]:
    """Rollouts on a real API server of one's own; so many operators go `way` to it."""
    servers = _Servers(folder)
    servers.addresses.write_text("{}")
    with control_plane(folder / "plane") as plane:
        established(plane, CRD)
        plane.run("create", "namespace", "shield")
        place = {
            "KUBECONFIG": str(plane.kubeconfig),
            "SHIELD_ROLLOUTS": "kubernetes",
            "SHIELD_ROLLOUTS_NAMESPACE": "shield",
            "SHIELD_OPERATOR_NAMESPACE": "shield",
        }
        kube = plane.connect("shield")
        lease = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}  # as the chart makes it
        kube.create(_LEASES, {**lease, "metadata": {"name": "antispam-shield-operator"}})
        command = ("-m", "bench.rollout.operator", str(servers.addresses))
        with _api(folder, place) as api, ExitStack() as running:
            numbers = count(1)

            def start() -> subprocess.Popen[bytes]:
                name = f"operator-{next(numbers)}"
                own = {**_operator(api), **place, "KUBECONFIG": _kubeconfig(folder, plane, way)}
                return running.enter_context(_process(folder, name, own, *command))

            running.callback(servers.stop)
            stand = Stand(folder, KubernetesRolloutStore(kube), api, servers.start, kube, [], start)
            stand.operators += [start() for _ in range(operators)]
            yield stand


def _kubeconfig(folder: Path, plane: ControlPlane, way: Way) -> str:
    known = yaml.safe_load(plane.kubeconfig.read_text())
    for one in known["clusters"]:
        one["cluster"]["server"] = way(one["cluster"]["server"])
    changed = folder / "operator.kubeconfig"
    changed.write_text(yaml.safe_dump(known))
    return str(changed)


@contextmanager
def _api(folder: Path, settings: Mapping[str, str]) -> Iterator[str]:
    ring, ready = folder / "messages.json", folder / "api.ready"
    ring.write_text(new_ring(datetime.now(UTC)))
    own = {
        "SHIELD_API_JWT_SECRET": SECRET,
        "SHIELD_API_MESSAGE_KEYS": str(ring),
        "SHIELD_API_PORT": "0",
        "SHIELD_API_READY_FILE": str(ready),
        "SHIELD_API_RATE_PER_USER": "",
        "SHIELD_API_RATE_PER_ADDRESS": "",
        "SHIELD_API_LOG_LEVEL": "warning",
        "SHIELD_API_SECOND_REVIEW_SHARE": "0",
        "SHIELD_API_AUDIT_SAMPLE_SHARE": "0",
        "SHIELD_API_PREDICT_TIMEOUT_SECONDS": "2",
    }
    with _process(folder, "api", {**own, **settings}, "-m", "api") as process:
        _wait_for(ready, process)
        yield f"http://127.0.0.1:{json.loads(ready.read_text())['port']}"


def _operator(api: str) -> dict[str, str]:
    token = mint(SECRET, "operator", ("operator",), now=datetime.now(UTC), lifetime_seconds=DAY)
    return {"SHIELD_API_URL": api, "SHIELD_API_TOKEN": token, "SHIELD_OPERATOR_DRAIN_SECONDS": "1"}


@contextmanager
def _process(
    folder: Path, name: str, settings: Mapping[str, str], *arguments: str
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments],
            env={**_environment(folder), **settings},
            stdout=log,
            stderr=log,
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _environment(folder: Path) -> dict[str, str]:
    return {
        **os.environ,
        "SHIELD_DATABASE_URL": f"sqlite:///{folder}/shield.db",
        "SHIELD_ARTIFACTS_ROOT": str(folder / "artifacts"),
        "SHIELD_TRUSTED_KEYS": str(signed_package().trusted_keys),
        "SHIELD_SERVER_CACHE_DIR": str(folder / "cache"),
        "SHIELD_SERVER_THREADS": "1",
    }


def _wait_for(ready: Path, process: "subprocess.Popen[bytes]") -> None:
    wait_until(ready.exists, f"{ready.stem} is not ready; see its log", process=process)
