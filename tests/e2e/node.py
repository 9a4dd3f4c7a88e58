"""A whole one-node cluster with real pods, in a network namespace of its own.

containerd, runc and the network plug-ins are Debian's; the rest is built from Go modules, as for
the tests' control plane. Pods have no way out of the machine.
"""

import json
import secrets
import shutil
import subprocess
import time
from pathlib import Path

from tests.e2e.gotools import COREDNS, program
from tests.e2e.guard import end_all, rooted_in
from tests.e2e.shell import run, wait_for
from tests.support.controlplane import ensure_binaries

NAMESPACE, ADDRESS, DNS = "shielde2e", "192.0.2.10", "10.96.0.10"


class Node:
    """One node; `start`, then `kubectl` and `helm`, then `stop`."""

    def __init__(self, state: Path) -> None:
        self.state = state / "node"
        self.tools = state / "bin"
        self.binaries = ensure_binaries(("kubelet", "kube-proxy"))
        self.kubeconfig = self.state / "admin.kubeconfig"
        self.containerd = self.state / "containerd.sock"
        self._inside = ["nsenter", f"--net=/run/netns/{NAMESPACE}"]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self._token = secrets.token_hex(16)

    def start(self) -> None:
        """Bring the node up; returns when it is Ready and names resolve."""
        self.stop()
        shutil.rmtree(self.state, ignore_errors=True)
        (self.state / "cni").mkdir(parents=True)
        self._network()
        self._containerd()
        self._control_plane()
        self._kubelet()
        self._dns()

    def kubectl(self, *arguments: str | Path, stdin: str | None = None, check: bool = True) -> str:
        """Call kubectl as the administrator."""
        command = self.inside(self.binaries / "kubectl", "--kubeconfig", self.kubeconfig)
        return run(*command, *arguments, stdin=stdin, check=check)

    def helm(self, *arguments: str | Path) -> str:
        """Call helm as the administrator."""
        command = self.inside(self.binaries / "helm", "--kubeconfig", self.kubeconfig)
        return run(*command, *arguments)

    def inside(self, *command: str | Path) -> list[str]:
        """Return a command that runs in the node's network."""
        return [*self._inside, *(str(part) for part in command)]

    def pids(self) -> list[int]:
        """Return the processes of the control plane, of containerd and of the kubelet."""
        return [process.pid for process in self._processes.values()]

    def stop(self) -> None:
        """End everything, pods included, and what a run that was killed has left."""
        for name in reversed(list(self._processes)):
            self._end(name)
        shims = run("pgrep", "-f", f"containerd-shim.*{self.state}/", check=False).split()
        end_all(int(pid) for pid in shims)
        end_all(rooted_in(self.state))
        inside = run("ip", "netns", "pids", NAMESPACE, check=False).split()
        end_all(int(pid) for pid in inside)
        mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
        for mount in sorted(mounts, reverse=True):
            if mount.startswith(f"{self.state}/"):
                # Lazily: what was killed a moment ago may still hold it.
                run("umount", "--lazy", mount, check=False)
        for line in run("ip", "netns", "list", check=False).splitlines():
            name = line.split()[0]
            if name == NAMESPACE or name.startswith("cni-"):
                run("ip", "netns", "del", name, check=False)
        # Many gigabytes; the logs stay.
        shutil.rmtree(self.state / "containerd", ignore_errors=True)

    def _spawn(self, name: str, *command: str | Path) -> None:
        with (self.state / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                self.inside(*command), cwd=self.state, stdout=log, stderr=log
            )

    def _end(self, name: str) -> None:
        process = self._processes.pop(name)
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _network(self) -> None:
        run("ip", "netns", "add", NAMESPACE)
        for command in (
            "ip link set lo up",
            "ip link add node0 type bridge",
            f"ip addr add {ADDRESS}/24 dev node0",
            "ip link set node0 up",
            "ip route add default via 192.0.2.1 dev node0",
            "sysctl -qw net.ipv4.ip_forward=1",
        ):
            run(*self._inside, *command.split())
        pods = {"subnet": "10.244.0.0/24"}
        ipam = {
            "type": "host-local",
            "dataDir": f"{self.state}/ipam",
            "ranges": [[pods]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "ipMasq": True}
        plugins = [
            {**bridge, "hairpinMode": True, "ipam": ipam},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ]
        config = {"cniVersion": "1.0.0", "name": "pods", "plugins": plugins}
        (self.state / "cni/10-pods.conflist").write_text(json.dumps(config))

    def _containerd(self) -> None:
        plugin = 'plugins."io.containerd.grpc.v1.cri"'
        (self.state / "containerd.toml").write_text(
            f"""version = 2
root = "{self.state}/containerd"
state = "{self.state}/containerd-run"
[grpc]
  address = "{self.containerd}"
[{plugin}]
  sandbox_image = "localhost/pause:1"
  restrict_oom_score_adj = true
  [{plugin}.cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{self.state}/cni"
"""
        )
        self._spawn("containerd", "containerd", "--config", self.state / "containerd.toml")

    def _control_plane(self) -> None:
        at = self.binaries
        etcd = ["--data-dir", "etcd", "--unsafe-no-fsync", "--log-level", "error"]
        self._spawn("etcd", at / "etcd", *etcd)
        run("openssl", "genrsa", "-out", self.state / "sa.key", "2048")
        (self.state / "tokens.csv").write_text(f'{self._token},admin,admin,"system:masters"\n')
        self._spawn(
            "kube-apiserver",
            at / "kube-apiserver",
            *["--etcd-servers", "http://127.0.0.1:2379", "--secure-port", "6443"],
            *["--bind-address", "0.0.0.0", "--advertise-address", ADDRESS, "--cert-dir", "certs"],
            *["--service-account-key-file", "sa.key", "--service-account-signing-key-file"],
            *["sa.key", "--service-account-issuer", "https://kubernetes.default.svc"],
            *["--token-auth-file", "tokens.csv", "--authorization-mode", "Node,RBAC"],
            *["--service-cluster-ip-range", "10.96.0.0/16", "--allow-privileged=true"],
            *["--kubelet-preferred-address-types", "InternalIP"],
        )
        cluster = {"server": "https://127.0.0.1:6443", "insecure-skip-tls-verify": True}
        self.kubeconfig.write_text(
            json.dumps(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "e2e", "cluster": cluster}],
                    "users": [{"name": "admin", "user": {"token": self._token}}],
                    "contexts": [{"name": "e2e", "context": {"cluster": "e2e", "user": "admin"}}],
                    "current-context": "e2e",
                }
            )
        )
        wait_for("the API server", lambda: self.kubectl("get", "--raw", "/readyz") == "ok", 90)
        config = ["--kubeconfig", "admin.kubeconfig", "--leader-elect=false"]
        self._spawn(
            "kube-controller-manager",
            at / "kube-controller-manager",
            *config,
            *["--service-account-private-key-file", "sa.key", "--root-ca-file"],
            *["certs/apiserver.crt", "--use-service-account-credentials"],
        )
        self._spawn("kube-scheduler", at / "kube-scheduler", *config)

    def _kubelet(self) -> None:
        settings = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "cgroupDriver": "cgroupfs",
            "failCgroupV1": False,
            "failSwapOn": False,
            "containerRuntimeEndpoint": f"unix://{self.containerd}",
            "authentication": {"anonymous": {"enabled": True}, "webhook": {"enabled": False}},
            "authorization": {"mode": "AlwaysAllow"},
            "clusterDNS": [DNS],
            "clusterDomain": "cluster.local",
            "resolvConf": "",
            "localStorageCapacityIsolation": False,
            "enforceNodeAllocatable": [],
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
            },
        }
        (self.state / "kubelet.yaml").write_text(json.dumps(settings))
        common = ["--kubeconfig", "admin.kubeconfig", "--hostname-override", "node0"]
        self._spawn(
            "kubelet",
            self.binaries / "kubelet",
            *["--config", "kubelet.yaml", "--root-dir", f"{self.state}/kubelet"],
            *["--node-ip", ADDRESS],
            *common,
        )
        self._spawn(
            "kube-proxy",
            self.binaries / "kube-proxy",
            *["--cluster-cidr", "10.244.0.0/16", "--proxy-mode", "iptables"],
            *["--conntrack-max-per-core", "0"],
            *common,
        )
        ready = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
        wait_for(
            "the node",
            lambda: self.kubectl("get", "node", "node0", "-o", ready) == "True",
            90,
        )

    def _dns(self) -> None:
        coredns = program(self.tools, COREDNS, "two")
        (self.state / "Corefile").write_text(
            f".:53 {{\n  bind {ADDRESS}\n  errors\n  kubernetes cluster.local {{\n"
            f"    kubeconfig {self.kubeconfig} e2e\n  }}\n}}\n"
        )
        self._spawn("coredns", coredns, "-conf", self.state / "Corefile")
        ports = [("dns", "UDP"), ("dns-tcp", "TCP")]
        listed = [{"name": name, "port": 53, "protocol": protocol} for name, protocol in ports]
        metadata = {"name": "kube-dns", "namespace": "kube-system"}
        service = {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": metadata,
            "spec": {"clusterIP": DNS, "ports": listed},
        }
        endpoints = {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {**metadata, "labels": {"kubernetes.io/service-name": "kube-dns"}},
            "addressType": "IPv4",
            "ports": listed,
            "endpoints": [{"addresses": [ADDRESS], "conditions": {"ready": True}}],
        }
        for found in (service, endpoints):
            self.kubectl("apply", "-f", "-", stdin=json.dumps(found))
        time.sleep(1)
