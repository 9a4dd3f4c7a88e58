"""A node with real pods, in a network namespace of its own.

containerd, runc and the network plug-ins are Debian's; the rest is built from Go modules, as for
the tests' control plane. kube-router enforces the NetworkPolicies.
"""

import json
from contextlib import suppress
from pathlib import Path

from tests.e2e.network import POD_NETWORK, SERVICE_NETWORK, Place
from tests.e2e.processes import Processes
from tests.support.gotools import KUBE_ROUTER, ensure_program

DNS = "10.96.0.10"
CGROUPS = Path("/sys/fs/cgroup")


class Node:
    """One node; `start` when its network and the API server are there."""

    def __init__(self, number: int, state: Path, binaries: Path) -> None:
        self.name, self.place = f"node{number}", Place(number)
        self.state = state / self.name
        self.containerd = self.state / "containerd.sock"
        self._binaries = binaries
        self.processes = Processes(self.place, self.state)

    def start_containerd(self) -> None:
        """Start the container runtime: images can be given to it from now on."""
        (self.state / "cni").mkdir(parents=True)
        ipam = {
            "type": "host-local",
            "dataDir": f"{self.state}/ipam",
            "ranges": [[{"subnet": self.place.pods}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        }
        bridge = {"type": "bridge", "bridge": "cni0", "isGateway": True, "hairpinMode": True}
        portmap = {"type": "portmap", "capabilities": {"portMappings": True}}
        plugins = [{**bridge, "ipam": ipam}, portmap]
        config = {"cniVersion": "1.0.0", "name": "pods", "plugins": plugins}
        (self.state / "cni/10-pods.conflist").write_text(json.dumps(config))
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
        self.processes.spawn("containerd", "containerd", "--config", self.state / "containerd.toml")

    def start(self, kubeconfig: Path) -> None:
        """Start kubelet and kube-proxy; the node registers itself."""
        settings = {
            "apiVersion": "kubelet.config.k8s.io/v1beta1",
            "kind": "KubeletConfiguration",
            "cgroupDriver": "cgroupfs",
            "cgroupRoot": f"/{_own_group(self.place)}",
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
            # Each kubelet removes from its folder the logs of pods that it does not know.
            "podLogsDir": f"{self.state}/pod-logs",
            # Off: on a full disk it would remove images that no registry could bring again.
            "imageGCHighThresholdPercent": 100,
            "evictionHard": {
                "memory.available": "100Mi",
                "nodefs.available": "1%",
                "imagefs.available": "1%",
            },
        }
        (self.state / "kubelet.yaml").write_text(json.dumps(settings))
        common: list[str | Path] = ["--kubeconfig", kubeconfig, "--hostname-override", self.name]
        self.processes.spawn(
            "kubelet",
            self._binaries / "kubelet",
            *["--config", "kubelet.yaml", "--root-dir", f"{self.state}/kubelet"],
            *["--node-ip", self.place.address],
            *common,
        )
        self.processes.spawn(
            "kube-proxy",
            self._binaries / "kube-proxy",
            *["--cluster-cidr", POD_NETWORK, "--proxy-mode", "iptables"],
            *["--conntrack-max-per-core", "0"],
            *common,
        )

    def enforce_policies(self, kubeconfig: Path) -> None:
        """Start what enforces NetworkPolicies; the node must have registered itself."""
        self.processes.spawn(
            "kube-router",
            ensure_program(KUBE_ROUTER, "two"),
            *["--run-firewall=true", "--run-router=false", "--run-service-proxy=false"],
            *["--kubeconfig", str(kubeconfig), "--hostname-override", self.name],
            *["--service-cluster-ip-range", SERVICE_NETWORK, "--metrics-port", "0"],
        )


def group(place: Place) -> str:
    """Return the control group of a node's pods."""
    return f"{place.namespace}/kubepods"


def remove_groups(place: Place) -> None:
    """Remove the control groups of a node that has ended; those still in use stay."""
    for parent in _hierarchies():
        for folder in sorted((parent / place.namespace).glob("**/"), reverse=True):
            with suppress(OSError):
                folder.rmdir()


def _hierarchies() -> list[Path]:
    found = [CGROUPS] if (CGROUPS / "cgroup.procs").exists() else list(CGROUPS.iterdir())
    return [folder for folder in found if (folder / "cgroup.procs").exists()]


def _own_group(place: Place) -> str:
    """Make the node's control group: a kubelet ends what it does not know in its pods' group."""
    for parent in _hierarchies():
        made = parent / place.namespace
        made.mkdir(exist_ok=True)
        for setting in ("cpuset.cpus", "cpuset.mems"):
            if (made / setting).exists() and not (made / setting).read_text().strip():
                (made / setting).write_text((parent / setting).read_text())
    return place.namespace
