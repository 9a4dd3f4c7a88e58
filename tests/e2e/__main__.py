"""`make e2e`: build, bring up, install, learn, release, take back, kill, drain, uninstall.

    make e2e [ARGS="--train-on-host --keep"]

`--train-on-host` runs the pipeline beside the cluster instead of in a pod: the training image with
CUDA has 7 GB, 22 while it is built, and 16 on the node. `--keep` leaves the node running, for
`make e2e-clean` to end (`--clean`).
"""

import ctypes
import json
import os
import shutil
import sys
import time
from pathlib import Path

import yaml

from tests.e2e import gateway, images, look
from tests.e2e.guard import alone
from tests.e2e.node import NAMESPACE, Node
from tests.e2e.shell import say, wait_for
from tests.e2e.story import NS, RELEASE, Story
from tests.support.chart import CHART

STATE = Path(os.environ.get("E2E_STATE", "/var/tmp/antispam-shield-e2e"))
VALUES = CHART.parent / "tests/e2e/values.yaml"
_NEW_NETWORK = 0x40000000
_GB_ON_HOST, _GB_IN_PODS = 10, 28


def main() -> int:
    """Do what is asked and return the exit code."""
    with alone(STATE):
        return _clean() if "--clean" in sys.argv else _run()


def _clean() -> int:
    node = Node(STATE)
    node.stop()
    shutil.rmtree(node.state, ignore_errors=True)
    say(f"nothing runs any more; the images stay until you remove {STATE}")
    return 0


def _run() -> int:
    began = time.monotonic()
    on_host = "--train-on-host" in sys.argv
    ours = [image for image in images.OURS if image != "training" or not on_host]
    node = Node(STATE)
    node.stop()
    there = images.size_gb(STATE)
    needed = (_GB_ON_HOST if on_host else _GB_IN_PODS) - there
    if (free := shutil.disk_usage(STATE).free / 1e9) < needed:
        raise SystemExit(
            f"{free:.0f} GB are free under {STATE}, and {needed:.0f} are needed. Make room, name "
            "another folder by E2E_STATE, or train outside the cluster (ARGS=--train-on-host)."
        )
    names = images.ensure_images(STATE, ours)
    say(f"{len(names)} images are there, {images.size_gb(STATE):.0f} GB")
    look.forget_peak()
    try:
        node.start()
        say("the node is ready")
        for name in names:
            images.hand_over(STATE, name, node.containerd)
        say("the node has the images")
        _enter_network()
        told = time.monotonic()
        story = _tell(node, on_host)
        say(
            f"done: {told - began:.0f} s for images and node, {time.monotonic() - told:.0f} s for "
            f"the story; at most {look.pods_memory_gib():.1f} GiB for all pods together (with page "
            f"cache), {look.own_memory_gib(node.pids()):.1f} GiB for the control plane and "
            f"containerd; {story.scans} scans, {story.failed} failed"
        )
    except Exception:
        look.explain(node)
        raise
    finally:
        if "--keep" not in sys.argv:
            node.stop()
    return 0


def _tell(node: Node, on_host: bool) -> Story:
    phone_url = gateway.install(node)
    _volumes(node)
    level = "pod-security.kubernetes.io/enforce=restricted"
    node.kubectl("create", "namespace", NS)
    node.kubectl("label", "namespace", NS, level)
    options = ["--set", "pipeline.firstModels.types=null"] if on_host else []
    chart: list[str | Path] = ["install", RELEASE, CHART, "-n", NS, "-f", VALUES]
    node.helm(*chart, "--wait", "--timeout", "600s", *options)
    say("the chart is installed in a restricted namespace")
    service = json.loads(node.kubectl("-n", NS, "get", "service", f"{RELEASE}-api", "-o", "json"))
    desk_url = f"http://{service['spec']['clusterIP']}:8000"
    story = Story(node, phone_url, desk_url, STATE / "host" if on_host else None)
    story.show("get", "pods,jobs,httproutes")
    gateway.wait_for_route(phone_url)
    story.first_model_serves()
    story.set_policy()
    story.first_look()
    node.helm("test", RELEASE, "-n", NS, "--logs")
    say("helm test passed")
    story.correct()
    version = story.learn()
    story.promoted(version)
    story.undo(version)
    again = ["upgrade", *chart[1:], *story.other_pods(), "--wait", "--timeout", "600s", *options]
    story.pods_end_under_load(lambda: node.helm(*again))
    story.every_pod_dies_once()
    story.drain()
    assert story.failed == 0, f"{story.failed} scans failed"
    _uninstall(node)
    return story


def _uninstall(node: Node) -> None:
    """Take everything away, and see what stays at each step."""
    node.helm("uninstall", RELEASE, "-n", NS, "--wait", "--timeout", "120s")
    kinds = node.kubectl("api-resources", "--namespaced", "--verbs=list", "-o", "name").split()
    kinds = [kind for kind in kinds if "events" not in kind]
    listed = ["-n", NS, "get", ",".join(kinds), "-o", "name", "--ignore-not-found"]
    kept = {
        f"modelrollout.antispamshield.io/{type_}" for type_ in ("sms",)
    } | {
        f"secret/{RELEASE}-{name}" for name in ("keys", "signing", "trusted-keys")
    } | {
        f"persistentvolumeclaim/data-{RELEASE}-{name}-0" for name in ("postgresql", "seaweedfs")
    }  # fmt: skip

    def stays() -> set[str]:
        return set(node.kubectl(*listed).split()) - _of_the_cluster() - _of_rollouts(node)

    wait_for("the end of the release's pods", lambda: not stays() - kept, 120)
    assert stays() == kept, f"after the uninstall there are {sorted(stays())}"
    say(f"uninstalled; what is kept on purpose: {', '.join(sorted(kept))}")
    node.kubectl("-n", NS, "delete", "modelrollouts", "--all", "--timeout=60s")
    wait_for("the last pod's end", lambda: "/" not in _pods(node), 120)
    for name in ("keys", "signing", "trusted-keys"):
        node.kubectl("-n", NS, "delete", "secret", f"{RELEASE}-{name}")
    node.kubectl("-n", NS, "delete", "pvc", "--all", "--timeout=60s")
    left = set(node.kubectl(*listed).split()) - _of_the_cluster()
    assert left == set(), f"left behind: {sorted(left)}"
    cluster_wide = "clusterroles,clusterrolebindings,validatingwebhookconfigurations"
    named = node.kubectl("get", cluster_wide, "-o", "name")
    assert RELEASE not in named, named
    node.kubectl("delete", "namespace", NS, "--timeout=120s")
    say("rollouts, keys and volume claims removed; nothing is left")


def _of_the_cluster() -> set[str]:
    """Return what Kubernetes puts into every namespace."""
    return {"configmap/kube-root-ca.crt", "serviceaccount/default"}


def _of_rollouts(node: Node) -> set[str]:
    """Return what belongs to the rollouts, which stay until they are deleted."""
    kinds = "deployments,replicasets,services,pods,endpoints,endpointslices,poddisruptionbudgets"
    labels = ["-l", "antispamshield.io/rollout=sms"]
    return set(node.kubectl("-n", NS, "get", kinds, *labels, "-o", "name").split())


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
