"""`make e2e`: build, bring up, install, learn, release, take back, kill, drain, uninstall.

    make e2e [ARGS="--train-on-host --keep"]

`--train-on-host` runs the pipeline beside the cluster instead of in a pod: the training image with
CUDA needs 25 GB of disk. `--keep` leaves the node running.
"""

import ctypes
import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

import yaml

from tests.e2e import images
from tests.e2e.node import NAMESPACE, Node
from tests.e2e.shell import say, wait_for
from tests.e2e.story import NS, RELEASE, Story
from tests.support.chart import CHART, one, rendered
from tests.support.envoy import envoy

STATE = Path(os.environ.get("E2E_STATE", "/var/tmp/antispam-shield-e2e"))
VALUES = CHART.parent / "tests/e2e/values.yaml"
_NEW_NETWORK = 0x40000000


def main() -> int:
    """Tell the story and return the exit code."""
    began = time.monotonic()
    STATE.mkdir(parents=True, exist_ok=True)
    on_host = "--train-on-host" in sys.argv
    ours = [image for image in images.OURS if image != "training" or not on_host]
    names = images.ensure_images(STATE, ours)
    archives = [images.export(STATE, name) for name in names]
    say(f"{len(names)} images are there")
    node = Node(STATE)
    try:
        node.start()
        say("the node is ready")
        for archive in archives:
            node.load(archive)
        say("the node has the images")
        _enter_network()
        _tell(node, on_host)
    finally:
        if "--keep" not in sys.argv:
            node.stop()
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20
    say(f"done in {time.monotonic() - began:.0f} s; largest process {peak:.1f} GiB")
    return 0


def _tell(node: Node, on_host: bool) -> None:
    _volumes(node)
    level = "pod-security.kubernetes.io/enforce=restricted"
    node.kubectl("create", "namespace", NS)
    node.kubectl("label", "namespace", NS, level)
    options = ["--set", "pipeline.firstModels.types=null"] if on_host else []
    install: list[str | Path] = [
        "install",
        RELEASE,
        CHART,
        "-n",
        NS,
        "-f",
        VALUES,
        "--wait",
        "--timeout",
        "600s",
    ]
    node.helm(*install, *options)
    say("the chart is installed in a restricted namespace")
    service = json.loads(node.kubectl("-n", NS, "get", "service", f"{RELEASE}-api", "-o", "json"))
    address = service["spec"]["clusterIP"]
    route = one(rendered("gateway", namespace=NS), "HTTPRoute")
    # The phone calls by the route's host name; Envoy is told to take the loopback's too.
    route["spec"]["hostnames"].append("127.0.0.1")
    with envoy(route, {f"{RELEASE}-api": (address, 8000)}, STATE) as phone_url:
        story = Story(
            node, phone_url, f"http://{address}:8000", STATE / "host" if on_host else None
        )
        story.show("get", "pods")
        story.first_model_serves()
        node.helm("test", RELEASE, "-n", NS, "--logs")
        say("helm test passed")
        story.correct()
        version = story.learn()
        story.promoted(version)
        story.undo(version)
        story.every_pod_dies_once()
        story.drain()
        assert story.failed == 0, f"{story.failed} scans failed"
    node.helm("uninstall", RELEASE, "-n", NS, "--wait", "--timeout", "120s")
    node.kubectl("-n", NS, "delete", "modelrollouts", "--all", "--timeout=60s")
    wait_for("the last pod's end", lambda: "/" not in _pods(node), 120)
    node.kubectl("delete", "namespace", NS, "--timeout=120s")
    say("uninstalled; nothing is left")


def _pods(node: Node) -> str:
    return node.kubectl("-n", NS, "get", "pods", "-o", "name")


def _volumes(node: Node) -> None:
    """Make a volume for each StatefulSet, so that their data outlives their pods."""
    for name, user in (("postgresql", 999), ("seaweedfs", 1000)):
        path = node.state / "volumes" / name
        path.mkdir(parents=True)
        shutil.chown(path, user, user)
        claim = {"namespace": NS, "name": f"data-{RELEASE}-{name}-0"}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name},
            "spec": {
                "capacity": {"storage": "10Gi"},
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "manual",
                "claimRef": claim,
                "hostPath": {"path": str(path)},
            },
        }
        node.kubectl("apply", "-f", "-", stdin=yaml.safe_dump(volume))


def _enter_network() -> None:
    """Move this process into the node's network: it plays the phones and the reviewers."""
    handle = os.open(f"/run/netns/{NAMESPACE}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, _NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "cannot enter the node's network")
    finally:
        os.close(handle)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        os.environ.pop(name, None)


if __name__ == "__main__":
    sys.exit(main())
