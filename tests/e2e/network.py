"""The nodes' networks: one network namespace a node, joined as by a switch.

Pods keep their address on the way to another node, as NetworkPolicies need it, and have no way out
of the machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.e2e.shell import run

POD_NETWORK, SERVICE_NETWORK = "10.244.0.0/16", "10.96.0.0/16"
_PREFIX = "shielde2e"
_SETTINGS = (
    "net.ipv4.ip_forward=1",
    # Without it a NetworkPolicy would not see what two pods of one node say to each other.
    "net.bridge.bridge-nf-call-iptables=1",
)


@dataclass(frozen=True)
class Place:
    """Where a node is: the node's number gives its namespace, address and pods."""

    number: int

    @property
    def namespace(self) -> str:
        """Name of the network namespace."""
        return f"{_PREFIX}{self.number}"

    @property
    def address(self) -> str:
        """The node's own address."""
        return f"192.0.2.{10 + self.number}"

    @property
    def pods(self) -> str:
        """The network of its pods."""
        return f"10.244.{self.number}.0/24"

    def inside(self, *command: object) -> list[str]:
        """Return a command that runs in the node's network."""
        words = [str(part) for part in command]
        return ["nsenter", f"--net=/run/netns/{self.namespace}", *words]


def connect(places: Sequence[Place]) -> None:
    """Make the namespaces; the first one's bridge is the switch of all."""
    for place in places:
        run("ip", "netns", "add", place.namespace)
        _inside(
            place,
            "ip link set lo up",
            "ip link add lan type bridge",
            f"ip addr add {place.address}/24 dev lan",
            "ip link set lan up",
            "ip route add default via 192.0.2.1 dev lan",
            *(f"sysctl -qw {setting}" for setting in _SETTINGS),
        )
    switch = places[0]
    for place in places[1:]:
        there = f"to{place.number}"
        _inside(
            switch,
            f"ip link add {there} type veth peer name uplink netns {place.namespace}",
            f"ip link set {there} master lan up",
        )
        _inside(place, "ip link set uplink master lan up")
    for place in places:
        for other in places:
            if other != place:
                _inside(place, f"ip route add {other.pods} via {other.address} dev lan")


def disconnect() -> None:
    """End what runs in the namespaces of nodes and pods, and remove them."""
    for line in run("ip", "netns", "list", check=False).splitlines():
        name = line.split()[0]
        if name.startswith((_PREFIX, "cni-")):
            run("ip", "netns", "del", name, check=False)


def processes() -> list[int]:
    """Return the processes in the nodes' namespaces."""
    names = [line.split()[0] for line in run("ip", "netns", "list", check=False).splitlines()]
    ours = [name for name in names if name.startswith(_PREFIX)]
    return [int(pid) for name in ours for pid in run("ip", "netns", "pids", name).split()]


def _inside(place: Place, *commands: str) -> None:
    for command in commands:
        run(*place.inside(*command.split()))
