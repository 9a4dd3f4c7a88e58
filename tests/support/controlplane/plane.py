"""Runs a control plane on loopback: up in 3 to 4 seconds, 0.5 GB, several side by side."""

import json
import os
import secrets
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from serving.operator import tether
from shield.kube import Kube
from tests.support.controlplane.binaries import STAGES, ensure_binaries
from tests.support.ports import free_ports
from tests.support.waiting import PATIENCE_SECONDS, wait_until

_STOP_ORDER = ("kwok", "kube-scheduler", "kube-controller-manager", "kube-apiserver", "etcd")
_NODE = {
    "apiVersion": "v1",
    "kind": "Node",
    "metadata": {"name": "node-0", "labels": {"kubernetes.io/hostname": "node-0"}},
    "status": {
        "capacity": {"cpu": "1000", "memory": "4Ti", "pods": "10000", "nvidia.com/gpu": "1"},
        "allocatable": {"cpu": "1000", "memory": "4Ti", "pods": "10000", "nvidia.com/gpu": "1"},
    },
}


class ControlPlane:
    """etcd, kube-apiserver, controller-manager, scheduler and kwok, with an administrator's token.

    Attributes:
        kubeconfig: Of the administrator.
        kubectl: Path of the binary.
        helm: Path of the binary.
    """

    def __init__(self, state: Path, binaries: Path) -> None:
        self.state = state
        self.binaries = binaries
        self.kubeconfig = state / "admin.kubeconfig"
        self.kubectl = binaries / "kubectl"
        self.helm = binaries / "helm"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._token = secrets.token_hex(16)
        self._client, self._peer, self._api, self._manager, self._scheduler = free_ports(5)

    @property
    def url(self) -> str:
        """Of the API server."""
        return f"https://127.0.0.1:{self._api}"

    def start(self) -> None:
        """Bring everything up; returns when the node is registered."""
        self._write_credentials()
        self._start_etcd()
        self.start_api_server()
        config = f"--kubeconfig={self.kubeconfig}"
        self._start(
            "kube-controller-manager",
            config,
            f"--service-account-private-key-file={self.state}/sa.key",
            f"--root-ca-file={self.state}/certs/apiserver.crt",
            "--use-service-account-credentials",
            "--leader-elect=false",
            f"--secure-port={self._manager}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self.state}/kcm-certs",
            # A machine under load must not make kwok's node look dead, and its pods not ready.
            "--node-monitor-grace-period=1h",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
        )
        self._start(
            "kube-scheduler",
            config,
            "--leader-elect=false",
            f"--secure-port={self._scheduler}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self.state}/scheduler-certs",
        )
        stages = sorted((self.binaries / STAGES).glob("*.yaml"))
        self._start("kwok", config, "--manage-all-nodes=true", *(f"--config={s}" for s in stages))
        self.run("apply", "-f", "-", stdin=json.dumps(_NODE))

    def stop(self) -> None:
        """End everything, in an order in which each can still say goodbye."""
        for name in _STOP_ORDER:
            self._stop(name)

    def start_api_server(self) -> None:
        """Start the API server, at the same address as before, and wait until it is ready."""
        key = f"{self.state}/sa.key"
        self._start(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{self._client}",
            f"--secure-port={self._api}",
            "--bind-address=127.0.0.1",
            f"--cert-dir={self.state}/certs",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--token-auth-file={self.state}/tokens.csv",
            "--authorization-mode=Node,RBAC",
            "--service-cluster-ip-range=10.96.0.0/16",
            "--endpoint-reconciler-type=none",
            "--max-requests-inflight=2000",
            "--max-mutating-requests-inflight=1000",
        )
        self._wait_for_api_server()

    def stop_api_server(self) -> None:
        """Take the API server away, as a crash would."""
        process = self._processes.pop("kube-apiserver")
        process.kill()
        process.wait()

    def run(self, *arguments: str, stdin: str | None = None, check: bool = True) -> str:
        """Call kubectl as the administrator and return its output.

        Raises:
            AssertionError: It failed, and `check` is true; the message is what it said.
        """
        done = subprocess.run(
            [str(self.kubectl), f"--kubeconfig={self.kubeconfig}", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout if done.returncode == 0 else done.stdout + done.stderr

    def connect(self, namespace: str = "default") -> Kube:
        """Return the product's own connection, as the administrator."""
        client = httpx.Client(
            base_url=self.url,
            verify=False,
            trust_env=False,
            headers={"Authorization": f"Bearer {self._token}"},
            limits=httpx.Limits(max_connections=64),
            timeout=PATIENCE_SECONDS,
        )
        return Kube(client, namespace)

    def get(self, *arguments: str) -> Any:
        """Return what `kubectl get ... -o json` says."""
        return json.loads(self.run("get", *arguments, "-o", "json"))

    def apply(self, *objects: Mapping[str, Any]) -> None:
        """Apply objects."""
        self.run(
            "apply",
            "-f",
            "-",
            stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}),
        )

    @contextmanager
    def namespace(self) -> Iterator[str]:
        """Yield a namespace of its own; it is removed afterwards, without waiting for that."""
        name = f"test-{secrets.token_hex(4)}"
        self.run("create", "namespace", name)
        try:
            yield name
        finally:
            self.run("delete", "namespace", name, "--wait=false", check=False)

    def kubeconfig_of(self, namespace: str, service_account: str) -> Path:
        """Return a kubeconfig for a ServiceAccount, with a token of one hour: for tests of RBAC."""
        token = self.run("create", "token", service_account, "-n", namespace).strip()
        path = self.state / f"{namespace}-{service_account}.kubeconfig"
        path.write_text(json.dumps(self._config(token, namespace)))
        return path

    def _config(self, token: str, namespace: str = "default") -> dict[str, Any]:
        cluster = {"server": self.url, "insecure-skip-tls-verify": True}
        context = {"cluster": "test", "user": "user", "namespace": namespace}
        return {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "test", "cluster": cluster}],
            "users": [{"name": "user", "user": {"token": token}}],
            "contexts": [{"name": "test", "context": context}],
            "current-context": "test",
        }

    def _write_credentials(self) -> None:
        self.state.mkdir(parents=True, exist_ok=True)
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        (self.state / "sa.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.TraditionalOpenSSL,
                serialization.NoEncryption(),
            )
        )
        (self.state / "tokens.csv").write_text(f'{self._token},admin,admin,"system:masters"\n')
        self.kubeconfig.write_text(json.dumps(self._config(self._token)))

    def _start_etcd(self) -> None:
        client, peer = (f"http://127.0.0.1:{port}" for port in (self._client, self._peer))
        self._start(
            "etcd",
            f"--data-dir={self.state}/etcd",
            "--unsafe-no-fsync",
            "--log-level=error",
            f"--listen-client-urls={client}",
            f"--advertise-client-urls={client}",
            f"--listen-peer-urls={peer}",
            f"--initial-advertise-peer-urls={peer}",
            f"--initial-cluster=default={peer}",
        )

    def _wait_for_api_server(self) -> None:
        trusting = ssl._create_unverified_context()
        # No proxy of the environment may stand between the test and loopback.
        opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
        )
        request = urllib.request.Request(
            f"{self.url}/readyz", headers={"Authorization": f"Bearer {self._token}"}
        )

        def ready() -> bool:
            try:
                with opener.open(request, timeout=10):
                    return True
            except OSError:
                return False

        wait_until(
            ready,
            lambda: (self.state / "kube-apiserver.log").read_text()[-1500:],
            process=self._processes["kube-apiserver"],
        )

    def _start(self, name: str, *arguments: str) -> None:
        command: Sequence[str] = [str(self.binaries / name), *arguments]
        with (self.state / f"{name}.log").open("ab") as log:
            # Tied to this process, so that a killed test run leaves nothing behind.
            self._processes[name] = subprocess.Popen(
                [sys.executable, "-S", tether.__file__, str(os.getpid()), *command],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                cwd=self.state,
                start_new_session=True,
            )

    def _stop(self, name: str) -> None:
        process = self._processes.pop(name, None)
        if process is None:
            return
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def control_plane(state: Path) -> Iterator[ControlPlane]:
    """Yield a running control plane that keeps everything under `state`."""
    plane = ControlPlane(state, ensure_binaries())
    try:
        plane.start()
        yield plane
    finally:
        plane.stop()
