"""A whole cluster of two nodes with real pods and enforced NetworkPolicies, on one machine.

The first node is drained in the story; data, name service and gateway stay on the second.
"""

import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import yaml

from tests.e2e import dns, network
from tests.e2e.guard import end_all, rooted_in
from tests.e2e.network import SERVICE_NETWORK
from tests.e2e.node import Node, remove_groups
from tests.e2e.processes import Processes
from tests.e2e.shell import run, wait_for
from tests.support.controlplane import ensure_binaries


class Cluster:
    """A control plane and its nodes; `start`, then `kubectl` and `helm`, then `stop`."""

    def __init__(self, state: Path) -> None:
        self.state = state / "cluster"
        self.binaries = ensure_binaries(("kubelet", "kube-proxy"))
        self.kubeconfig = self.state / "admin.kubeconfig"
        self.nodes = [Node(number, self.state, self.binaries) for number in (0, 1)]
        self.place = self.nodes[0].place
        self._plane = Processes(self.place, self.state)
        self._token = secrets.token_hex(16)

    @property
    def drained(self) -> Node:
        """The node that the story drains."""
        return self.nodes[0]

    @property
    def kept(self) -> Node:
        """The node that keeps running: volumes, names and the gateway are here."""
        return self.nodes[1]

    def start_runtimes(self) -> None:
        """Make the networks, and start what takes the images."""
        self.stop()
        shutil.rmtree(self.state, ignore_errors=True)
        self.state.mkdir(parents=True)
        network.connect([node.place for node in self.nodes])
        for node in self.nodes:
            node.start_containerd()
            wait_for("containerd", node.containerd.exists, 30)

    def start(self) -> None:
        """Bring the cluster up; returns when its nodes are ready and names resolve."""
        self._control_plane()
        for node in self.nodes:
            node.start(self.kubeconfig)
        for node in self.nodes:
            wait_for(node.name, partial(self._ready, node), 90)
            node.enforce_policies(self.kubeconfig)
        for found in dns.objects(self.kept.name):
            self.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(found))
        self.kubectl("-n", "kube-system", "rollout", "status", "deploy/coredns", "--timeout=120s")

    def kubectl(self, *arguments: str | Path, stdin: str | None = None, check: bool = True) -> str:
        """Call kubectl as the administrator."""
        command = self.inside(self.binaries / "kubectl", "--kubeconfig", self.kubeconfig)
        return run(*command, *arguments, stdin=stdin, check=check)

    def helm(self, *arguments: str | Path) -> str:
        """Call helm as the administrator."""
        command = self.inside(self.binaries / "helm", "--kubeconfig", self.kubeconfig)
        return run(*command, *arguments)

    def inside(self, *command: str | Path) -> list[str]:
        """Return a command that runs in the first node's network, as people near it would."""
        return self.place.inside(*command)

    @contextmanager
    def forwarding(self, namespace: str, target: str, port: int) -> Iterator[None]:
        """Forward a port of the first node's loopback to a pod, as people do at first."""
        kubectl = self.inside(self.binaries / "kubectl", "--kubeconfig", self.kubeconfig)
        command = [*kubectl, "-n", namespace, "port-forward", target, str(port)]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                process.terminate()

    def pids(self) -> list[int]:
        """Return the processes of the control plane, of containerd and of the kubelets."""
        return [*self._plane.pids(), *(pid for node in self.nodes for pid in node.processes.pids())]

    def stop(self) -> None:
        """End everything, pods included, and what a run that was killed has left."""
        for node in self.nodes:
            node.processes.end()
        self._plane.end()
        shims = run("pgrep", "-f", f"containerd-shim.*{self.state}/", check=False).split()
        end_all(int(pid) for pid in shims)
        end_all(rooted_in(self.state))
        end_all(iter(network.processes()))
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted(mounts, reverse=True):
            if mount.startswith(f"{self.state}/"):
                # Lazily: what was killed a moment ago may still hold it.
                run("umount", "--lazy", mount, check=False)
        network.disconnect()
        # Many gigabytes; the logs stay.
        for node in self.nodes:
            shutil.rmtree(node.state / "containerd", ignore_errors=True)
            remove_groups(node.place)

    def _ready(self, node: Node) -> bool:
        status = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
        return self.kubectl("get", "node", node.name, "-o", status) == "True"

    def _control_plane(self) -> None:
        at, spawn = self.binaries, self._plane.spawn
        etcd = ["--data-dir", "etcd", "--unsafe-no-fsync", "--log-level", "error"]
        spawn("etcd", at / "etcd", *etcd)
        run("openssl", "genrsa", "-out", self.state / "sa.key", "2048")
        (self.state / "tokens.csv").write_text(f'{self._token},admin,admin,"system:masters"\n')
        spawn(
            "kube-apiserver",
            at / "kube-apiserver",
            *["--etcd-servers", "http://127.0.0.1:2379", "--secure-port", "6443"],
            *["--bind-address", "0.0.0.0", "--advertise-address", self.place.address],
            *["--cert-dir", "certs", "--service-account-key-file", "sa.key"],
            *["--service-account-signing-key-file", "sa.key"],
            *["--service-account-issuer", "https://kubernetes.default.svc"],
            *["--token-auth-file", "tokens.csv", "--authorization-mode", "Node,RBAC"],
            *["--service-cluster-ip-range", SERVICE_NETWORK, "--allow-privileged=true"],
            *["--kubelet-preferred-address-types", "InternalIP"],
        )
        server = {
            "server": f"https://{self.place.address}:6443",
            "insecure-skip-tls-verify": True,
        }
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "e2e", "cluster": server}],
            "users": [{"name": "admin", "user": {"token": self._token}}],
            "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "admin"}}],
            "current-context": "e2e",
        }
        self.kubeconfig.write_text(yaml.safe_dump(config))
        wait_for("the API server", lambda: self.kubectl("get", "--raw", "/readyz") == "ok", 90)
        common = ["--kubeconfig", "admin.kubeconfig", "--leader-elect=false"]
        spawn(
            "kube-controller-manager",
            at / "kube-controller-manager",
            *common,
            *["--service-account-private-key-file", "sa.key", "--root-ca-file"],
            *["certs/apiserver.crt", "--use-service-account-credentials"],
        )
        spawn("kube-scheduler", at / "kube-scheduler", *common)
