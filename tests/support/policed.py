"""A node whose pods are network namespaces, with kube-router enforcing the NetworkPolicies.

Pods are played: kwok gives them addresses, and nothing runs in them but listening sockets.
Policies, packets, iptables and kube-router are real.
"""

import asyncio
import ctypes
import errno
import json
import os
import secrets
import selectors
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit

from tests.support.controlplane import ControlPlane
from tests.support.gotools import KUBE_ROUTER, ensure_program

TOOLS = ("ip", "iptables", "ipset", "nsenter")
Found = TypeVar("Found")
_NODE_ADDRESS = "192.0.2.1"
_NEW_NETWORK = 0x40000000
_TRY_SECONDS = 1.5
_BACKLOG = 512


def why_not() -> str | None:
    """Return why no node can be made on this machine; None if one can."""
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if os.geteuid() != 0 or missing:
        needed = " and ".join(missing) or "nothing more"
        return f"needs root, and {needed} (Debian: iproute2, iptables, ipset, util-linux)"
    return None


def prepare() -> None:
    """Install the tools where root may (Debian), and build kube-router where a node can be made."""
    if why_not() is not None and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        packages = ["iproute2", "iptables", "ipset", "util-linux"]
        install = ["install", "-y", "-qq", "--no-install-recommends", *packages]
        for step in (["update", "-qq"], install):
            subprocess.run(["apt-get", *step], env=environment, check=False, stdout=sys.stderr)
    if why_not() is None:
        ensure_program(KUBE_ROUTER, "two")


@dataclass(frozen=True)
class Target:
    """An end of a connection that listens."""

    name: str
    address: str
    port: int


class PolicedNode:
    """Network namespaces of a node and of its pods; `policed_node` makes it."""

    def __init__(self, plane: ControlPlane, folder: Path, stack: ExitStack) -> None:
        self._plane, self._folder, self._stack = plane, folder, stack
        self._prefix = f"policed-{secrets.token_hex(3)}"
        self._count = 0
        self._namespaces: dict[str, str] = {}
        self._node = self._make("node")
        (node,) = plane.get("nodes")["items"]
        self._name = node["metadata"]["name"]
        # kwok's node has no address, and kube-router asks for one to know the pods of its own node.
        told = {"status": {"addresses": [{"type": "InternalIP", "address": _NODE_ADDRESS}]}}
        patch = ("patch", "node", self._name, "--subresource=status", "--type=merge", "-p")
        plane.run(*patch, json.dumps(told))
        self._ip(self._node, "link set lo up", f"addr add {_NODE_ADDRESS}/32 dev lo")
        setting = "net.ipv4.ip_forward=1"
        _run("nsenter", f"--net=/run/netns/{self._node}", "sysctl", "-qw", setting)

    def add(self, address: str, ports: Sequence[int]) -> None:
        """Add a pod, or a host outside, that listens on ports.

        Args:
            address: As the API server tells it of the pod.
            ports: TCP ports.
        """
        pod = self._make(address)
        self._count += 1
        link = f"pod{self._count}"
        self._ip(
            self._node,
            f"link add {link} type veth peer name eth0 netns {pod}",
            f"link set {link} up",
            f"route add {address}/32 dev {link}",
        )
        # The node answers for every address, as it is the pod's only neighbour.
        proxy = f"net.ipv4.conf.{link}.proxy_arp=1"
        _run("nsenter", f"--net=/run/netns/{self._node}", "sysctl", "-qw", proxy)
        self._ip(
            pod,
            "link set lo up",
            f"addr add {address}/32 dev eth0",
            "link set eth0 up",
            "route add default dev eth0",
        )
        for port in ports:
            # The kernel completes handshakes by itself, as long as nobody has to be accepted.
            listener = self._inside(pod, partial(_listener, ("0.0.0.0", port)))
            self._stack.callback(listener.close)

    def reached(self, source: str, targets: Sequence[Target]) -> set[str]:
        """Return the names of the targets that a pod can connect to.

        Args:
            source: Address of the pod.
            targets: Ends to try, all at once.
        """
        return self._inside(self._namespaces[source], partial(_connect, targets))

    @contextmanager
    def enforcing(self) -> Iterator[None]:
        """Run kube-router, which turns NetworkPolicies into the node's firewall."""
        api = urlsplit(self._plane.url)
        assert api.hostname is not None
        assert api.port is not None
        address = (api.hostname, api.port)
        listener = self._inside(self._node, partial(_listener, address))
        log = (self._folder / "kube-router.log").open("wb")
        with log, _forwarding(listener, address):
            process = subprocess.Popen(
                [
                    *("nsenter", f"--net=/run/netns/{self._node}"),
                    ensure_program(KUBE_ROUTER, "two"),
                    *("--run-firewall=true", "--run-router=false", "--run-service-proxy=false"),
                    f"--kubeconfig={self._plane.kubeconfig}",
                    f"--hostname-override={self._name}",
                    *("--service-cluster-ip-range=10.96.0.0/16", "--metrics-port=0"),
                ],
                stdout=log,
                stderr=log,
            )
            try:
                yield
            finally:
                process.terminate()
                process.wait()

    def said(self) -> str:
        """Return the end of what kube-router said."""
        return (self._folder / "kube-router.log").read_text(errors="replace")[-3000:]

    def _make(self, name: str) -> str:
        namespace = f"{self._prefix}-{len(self._namespaces)}"
        _run("ip", "netns", "add", namespace)
        self._stack.callback(_run, "ip", "netns", "del", namespace)
        self._namespaces[name] = namespace
        return namespace

    def _ip(self, namespace: str, *commands: str) -> None:
        _run("ip", "-n", namespace, "-batch", "-", stdin="\n".join(commands))

    def _inside(self, namespace: str, call: Callable[[], Found]) -> Found:
        """Return what `call` returns in a namespace: a thread of its own enters it."""

        def enter() -> Found:
            handle = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
            try:
                if ctypes.CDLL(None, use_errno=True).setns(handle, _NEW_NETWORK):
                    raise OSError(ctypes.get_errno(), f"cannot enter {namespace}")
            finally:
                os.close(handle)
            return call()

        with ThreadPoolExecutor(1) as thread:
            return thread.submit(enter).result()


@contextmanager
def policed_node(plane: ControlPlane, folder: Path) -> Iterator[PolicedNode]:
    """Make a node beside kwok's, whose name and address it takes; nothing of it stays."""
    with ExitStack() as stack:
        yield PolicedNode(plane, folder, stack)


def _listener(address: tuple[str, int]) -> socket.socket:
    return socket.create_server(address, backlog=_BACKLOG)


def _connect(targets: Sequence[Target]) -> set[str]:
    """Try all targets at once; those that answer nothing are given up after a while."""
    reached: set[str] = set()
    with selectors.DefaultSelector() as waiting, ExitStack() as stack:
        for target in targets:
            tried = stack.enter_context(socket.socket())
            tried.setblocking(False)
            code = tried.connect_ex((target.address, target.port))
            if code == 0:
                reached.add(target.name)
            elif code == errno.EINPROGRESS:
                waiting.register(tried, selectors.EVENT_WRITE, target.name)
        end = time.monotonic() + _TRY_SECONDS
        while waiting.get_map() and (left := end - time.monotonic()) > 0:
            for key, _ in waiting.select(left):
                found = key.fileobj
                assert isinstance(found, socket.socket)
                waiting.unregister(found)
                if found.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0:
                    reached.add(key.data)
    return reached


@contextmanager
def _forwarding(listener: socket.socket, address: tuple[str, int]) -> Iterator[None]:
    """Hand what a listener in a namespace accepts to an address of this process's network."""
    loop = asyncio.new_event_loop()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        try:
            while part := await source.read(1 << 16):
                sink.write(part)
                await sink.drain()
        except OSError:
            pass  # the other end has gone
        finally:
            sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*address)
        await asyncio.gather(pump(reader, back), pump(there, writer))

    server = loop.run_until_complete(asyncio.start_server(serve, sock=listener))
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        server.close()
        for task in asyncio.all_tasks(loop):
            task.cancel()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()


def _run(*command: str, stdin: str | None = None) -> None:
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"`{' '.join(command)}` failed:\n{stdin or ''}\n{done.stderr.strip()}")
