"""Which ends of pods count as crashes of their version."""

from typing import Any

import pytest

from serving.operator.deployments import ends
from serving.operator.specs import CONTAINER, DIGEST_LABEL


def pod(end: dict[str, Any], restarts: int = 0, **status: Any) -> dict[str, Any]:
    """A pod of the version `abc` whose server has ended so."""
    when = {"lastState": {"terminated": end}} if restarts else {"state": {"terminated": end}}
    container = {"name": CONTAINER, "restartCount": restarts, **when}
    return {
        "metadata": {"labels": {DIGEST_LABEL: "abc"}},
        "status": {"containerStatuses": [container], **status},
    }


EVICTED = pod(
    {"exitCode": 137, "reason": "Error"},
    phase="Failed",
    reason="Evicted",
    conditions=[{"type": "DisruptionTarget", "status": "True", "reason": "TerminationByKubelet"}],
)


@pytest.mark.parametrize(
    "ended",
    [
        EVICTED,
        pod({"exitCode": 255, "reason": "Unknown"}, restarts=1),
        pod({"exitCode": 137, "reason": "ContainerStatusUnknown"}),
        pod({"exitCode": 69, "reason": "Error"}, restarts=4),
    ],
    ids=["a full node", "a node that lost its power", "a node that was lost", "no artifact store"],
)
def test_what_the_cluster_ends_is_no_crash_of_the_version(ended: dict[str, Any]) -> None:
    assert ends([ended] * 3, "abc") == (0, None)


def test_a_server_that_ends_by_itself_or_takes_too_much_memory_has_crashed() -> None:
    killed = pod({"exitCode": 137, "reason": "OOMKilled"}, restarts=2)
    ended = pod({"exitCode": 1, "reason": "Error"})
    assert ends([killed, ended, EVICTED], "abc") == (3, None)
    refused = pod({"exitCode": 65, "reason": "Error", "message": "log\nIt is not signed."})
    assert ends([refused], "abc") == (1, "It is not signed.")
