"""What the nodes tell about themselves: how much memory it took, and why something does not run."""

import json
from collections.abc import Iterable
from pathlib import Path

from tests.e2e.cluster import Cluster
from tests.e2e.node import CGROUPS, group
from tests.e2e.shell import say

_LINES = 25


def forget_peak(cluster: Cluster) -> None:
    """Begin to measure the pods' memory anew: the groups of a former run may still be there."""
    for peak in _peaks(cluster):
        if peak.name == "memory.max_usage_in_bytes":
            peak.write_text("0")


def pods_memory_gib(cluster: Cluster) -> float:
    """Return the sum of what each node's pods have used at most so far, page cache included."""
    return sum(int(peak.read_text()) for peak in _peaks(cluster)) / 2**30


def _peaks(cluster: Cluster) -> list[Path]:
    groups = [group(node.place) for node in cluster.nodes]
    version_1 = [CGROUPS / "memory" / name / "memory.max_usage_in_bytes" for name in groups]
    version_2 = [CGROUPS / name / "memory.peak" for name in groups]
    return [peak for peak in (*version_1, *version_2) if peak.exists()]


def own_memory_gib(pids: Iterable[int]) -> float:
    """Return the sum of what each of these processes has used at most."""
    total = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return total / 2**20


def explain(cluster: Cluster) -> None:
    """Print pods, warnings, and the end of the log of each container that is not well."""
    try:
        _print(cluster.kubectl("get", "pods", "-A", "-o", "wide"))
        warnings = ("get", "events", "-A", "--field-selector=type=Warning")
        _print("\n".join(cluster.kubectl(*warnings).splitlines()[-_LINES:]))
        for pod in json.loads(cluster.kubectl("get", "pods", "-A", "-o", "json"))["items"]:
            for container in _unwell(pod):
                _print_log(
                    cluster, pod["metadata"]["namespace"], pod["metadata"]["name"], container
                )
    except (RuntimeError, OSError) as error:  # the fault itself is to be seen, not this one
        say(f"the cluster cannot be asked: {error}")


def _unwell(pod: dict[str, dict[str, list[dict[str, object]]]]) -> Iterable[str]:
    if str(pod["status"].get("phase")) == "Succeeded":
        return
    for kind in ("initContainerStatuses", "containerStatuses"):
        for status in pod["status"].get(kind, []):
            if not status["ready"] or status["restartCount"]:
                yield str(status["name"])


def _print_log(cluster: Cluster, namespace: str, pod: str, container: str) -> None:
    asked = ("-n", namespace, "logs", pod, "-c", container, f"--tail={_LINES}")
    for which in ((), ("--previous",)):
        if said := cluster.kubectl(*asked, *which, check=False):
            say(f"{' '.join(('log of', pod, container, *which))}")
            _print(said)


def _print(text: str) -> None:
    for line in text.rstrip().splitlines():
        say(f"  {line}")
