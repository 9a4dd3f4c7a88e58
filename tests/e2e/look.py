"""What a node tells about itself: how much memory it took, and why something does not run."""

import json
from collections.abc import Iterable
from pathlib import Path

from tests.e2e.node import Node
from tests.e2e.shell import say

_LINES = 25
_PEAK_V1 = Path("/sys/fs/cgroup/memory/kubepods/memory.max_usage_in_bytes")


def forget_peak() -> None:
    """Begin to measure the pods' memory anew: the group of a former run may still be there."""
    if _PEAK_V1.exists():
        _PEAK_V1.write_text("0")


def pods_memory_gib() -> float:
    """Return the most that all pods together have used so far, page cache included."""
    peak = _PEAK_V1 if _PEAK_V1.exists() else Path("/sys/fs/cgroup/kubepods/memory.peak")
    return int(peak.read_text()) / 2**30


def own_memory_gib(pids: Iterable[int]) -> float:
    """Return the sum of what each of these processes has used at most."""
    total = 0
    for pid in pids:
        status = Path(f"/proc/{pid}/status").read_text().splitlines()
        total += sum(int(line.split()[1]) for line in status if line.startswith("VmHWM"))
    return total / 2**20


def explain(node: Node) -> None:
    """Print pods, warnings, and the end of the log of each container that is not well."""
    try:
        _print(node.kubectl("get", "pods", "-A", "-o", "wide"))
        warnings = ("get", "events", "-A", "--field-selector=type=Warning")
        _print("\n".join(node.kubectl(*warnings).splitlines()[-_LINES:]))
        for pod in json.loads(node.kubectl("get", "pods", "-A", "-o", "json"))["items"]:
            for container in _unwell(pod):
                _print_log(node, pod["metadata"]["namespace"], pod["metadata"]["name"], container)
    except (RuntimeError, OSError) as error:  # the fault itself is to be seen, not this one
        say(f"the node cannot be asked: {error}")


def _unwell(pod: dict[str, dict[str, list[dict[str, object]]]]) -> Iterable[str]:
    if str(pod["status"].get("phase")) == "Succeeded":
        return
    for kind in ("initContainerStatuses", "containerStatuses"):
        for status in pod["status"].get(kind, []):
            if not status["ready"] or status["restartCount"]:
                yield str(status["name"])


def _print_log(node: Node, namespace: str, pod: str, container: str) -> None:
    asked = ("-n", namespace, "logs", pod, "-c", container, f"--tail={_LINES}")
    for which in ((), ("--previous",)):
        if said := node.kubectl(*asked, *which, check=False):
            say(f"{' '.join(('log of', pod, container, *which))}")
            _print(said)


def _print(text: str) -> None:
    for line in text.rstrip().splitlines():
        say(f"  {line}")
