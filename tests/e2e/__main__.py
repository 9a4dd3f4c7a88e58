"""`make e2e`: build, bring up, install, learn, release, take back, end, drain, kill, uninstall.

make e2e [ARGS="--train-on-host --keep --from STATION"]
"""

import argparse
import ctypes
import os
import shutil
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.e2e import gateway, images, look, policies, release
from tests.e2e.cluster import Cluster
from tests.e2e.faults import Faults
from tests.e2e.guard import alone
from tests.e2e.shell import say
from tests.e2e.story import NS, RELEASE, Story
from tests.support.chart import CHART

STATE = Path(os.environ.get("E2E_STATE", "/var/tmp/antispam-shield-e2e"))
VALUES = CHART.parent / "tests/e2e/values.yaml"
_NEW_NETWORK = 0x40000000
_GB_ON_HOST, _GB_IN_PODS = 12, 32


STATIONS = (
    *("first-model", "rollout-policy", "first-look", "network-policies", "helm-test", "correct"),
    *("learn", "end", "upgrade", "drain", "kill", "uninstall"),
)


def main() -> int:
    """Do what is asked and return the exit code."""
    parser = argparse.ArgumentParser(prog="make e2e", description=__doc__)
    parser.add_argument(
        "--train-on-host",
        action="store_true",
        help="run the pipeline beside the cluster instead of in a pod: the training image with "
        "CUDA has 7 GB, 22 while it is built, and 16 on its node",
    )
    parser.add_argument(
        "--keep", action="store_true", help="leave the cluster running, for `make e2e-clean` to end"
    )
    parser.add_argument(
        "--from",
        dest="start",
        choices=STATIONS,
        help="go on with a cluster that --keep has left, at this station",
    )
    parser.add_argument("--clean", action="store_true", help="end what a run has left or kept")
    asked = parser.parse_args()
    with alone(STATE):
        return _clean() if asked.clean else _run(asked)


def _clean() -> int:
    cluster = Cluster(STATE)
    cluster.stop()
    shutil.rmtree(cluster.state, ignore_errors=True)
    say(f"nothing runs any more; the images stay until you remove {STATE}")
    return 0


def _run(asked: argparse.Namespace) -> int:
    began = time.monotonic()
    cluster = Cluster(STATE)
    if asked.start is None:
        names = _images(cluster, asked.train_on_host)
    elif not cluster.kubeconfig.exists():
        raise SystemExit("No cluster was kept. Run `make e2e ARGS=--keep` without --from first.")
    try:
        if asked.start is None:
            cluster.start_runtimes()
            _hand_over(cluster, names)
            cluster.start()
            say("the nodes are ready, and names resolve")
        _enter_network(cluster)
        told = time.monotonic()
        story = _tell(cluster, asked)
        say(
            f"done: {told - began:.0f} s for images and nodes, {time.monotonic() - told:.0f} s for "
            f"the story; at most {look.pods_memory_gib(cluster):.1f} GiB for all pods together "
            f"(with page cache), {look.own_memory_gib(cluster.pids()):.1f} GiB for control plane, "
            f"containerd and kubelets; {story.scans} scans of single phones, {story.failed} failed"
        )
    except Exception:
        look.explain(cluster)
        raise
    finally:
        if not asked.keep:
            cluster.stop()
    return 0


def _images(cluster: Cluster, on_host: bool) -> list[str]:
    """Build the images that are missing, where there is room for them, and return all names."""
    ours = [image for image in images.OURS if image != "training" or not on_host]
    cluster.stop()
    there = images.size_gb(STATE)
    needed = (_GB_ON_HOST if on_host else _GB_IN_PODS) - there
    if (free := shutil.disk_usage(STATE).free / 1e9) < needed:
        raise SystemExit(
            f"{free:.0f} GB are free under {STATE}, and {needed:.0f} are needed. Make room, name "
            "another folder by E2E_STATE, or train outside the cluster (ARGS=--train-on-host)."
        )
    names = images.ensure_images(STATE, ours)
    say(f"{len(names)} images are there, {images.size_gb(STATE):.0f} GB")
    look.forget_peak(cluster)
    return names


def _hand_over(cluster: Cluster, names: list[str]) -> None:
    """Give each node the images of what may run there; data runs where its volumes are."""
    apart = (images.POSTGRES, images.SEAWEEDFS, images.ENVOY, images.COREDNS_IMAGE)
    for node in cluster.nodes:
        for name in names:
            if node is cluster.kept or not (name in apart or "/training:" in name):
                images.hand_over(STATE, name, node.containerd)
    say("the nodes have the images")


def _tell(cluster: Cluster, asked: argparse.Namespace) -> Story:
    chart: list[str | Path] = [RELEASE, CHART, "-n", NS, "-f", VALUES, "--wait", "--timeout=600s"]
    if asked.train_on_host:
        chart += ["--set", "pipeline.firstModels.types=null"]
    phone_url, desk_url = gateway.install(cluster) if asked.start is None else gateway.urls(cluster)
    if asked.start is None:
        release.install(cluster, chart)
    story = Story(
        cluster, phone_url, desk_url, cluster.state / "host" if asked.train_on_host else None
    )
    faults = Faults(story)
    if asked.start is None:
        story.show("get", "pods,jobs,httproutes", "-o", "wide")
        gateway.wait_for_routes(phone_url, desk_url)
    calls: list[Callable[[], object]] = [
        story.first_model_serves,
        story.set_policy,
        story.first_look,
        partial(policies.check, cluster, RELEASE, gateway.NS),
        partial(release.check, cluster),
        story.correct,
        story.learn_release_and_undo,
        faults.pods_end_under_load,
        partial(faults.upgrade, chart),
        faults.drain,
        faults.every_pod_ends_within_a_second,
        partial(release.uninstall, cluster),
    ]
    stations = list(zip(STATIONS, calls, strict=True))
    for name, call in stations[STATIONS.index(asked.start) if asked.start else 0 :]:
        say(f"== {name}")
        call()
    assert story.failed == 0, f"{story.failed} scans failed"
    return story


def _enter_network(cluster: Cluster) -> None:
    """Move this process into a node's network: it plays the phones and the reviewers.

    Policies never shut a node out of its own pods, so a pipeline on the host reaches the store.
    """
    handle = os.open(f"/run/netns/{cluster.kept.place.namespace}", os.O_RDONLY)
    try:
        if ctypes.CDLL(None, use_errno=True).setns(handle, _NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "cannot enter the node's network")
    finally:
        os.close(handle)
    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"):
        os.environ.pop(name, None)


if __name__ == "__main__":
    sys.exit(main())
