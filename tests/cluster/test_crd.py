"""What the API server itself says to a ModelRollout: schema, defaults, rules, columns."""

import json
from typing import Any

import pytest

from tests.support.controlplane import ControlPlane
from tests.support.rollouts import version

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]


def rollout(namespace: str, name: str = "sms-v1", **spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "antispamshield.io/v1alpha1",
        "kind": "ModelRollout",
        "metadata": {"name": "sms", "namespace": namespace},
        "spec": {"modelType": "sms", "version": version(name).model_dump(), **spec},
    }


def refusal(cluster: ControlPlane, obj: dict[str, Any]) -> str:
    with pytest.raises(AssertionError) as told:
        cluster.apply(obj)
    return str(told.value)


def write_status(cluster: ControlPlane, namespace: str, status: dict[str, Any]) -> None:
    cluster.run(
        *("patch", "mro", "sms", "-n", namespace, "--subresource=status"),
        *("--type=merge", "-p", json.dumps({"status": status})),
    )


def test_defaults_are_filled_in_by_the_api_server(cluster: ControlPlane, namespace: str) -> None:
    cluster.apply(rollout(namespace))
    spec = cluster.get("mro", "sms", "-n", namespace)["spec"]
    assert [step["weight"] for step in spec["steps"]] == [10, 50]
    assert spec["steps"][0]["durationSeconds"] == 3600
    assert spec["analysis"]["alpha"] == 0.05
    assert spec["guardSeconds"] == 86400


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"steps": [{"weight": 50}, {"weight": 10}]}, "must rise"),
        ({"steps": [{"weight": 50}, {"weight": 50}]}, "must rise"),
        ({"steps": [{"weight": 101}]}, "less than or equal to 100"),
        ({"strategy": "bluegreen"}, "Unsupported value"),
        ({"analysis": {"alpha": 1}}, "should be less than 1"),
        ({"version": {"name": "sms-v1", "digest": "sha256:1", "uri": "x"}}, "digest"),
        ({"modelType": "fax"}, "Unsupported value"),
        ({"weights": []}, "unknown field"),
    ],
)
def test_a_spec_that_makes_no_sense_is_refused(
    cluster: ControlPlane, namespace: str, spec: dict[str, Any], words: str
) -> None:
    assert words in refusal(cluster, rollout(namespace, **spec))


def test_the_model_type_never_changes(cluster: ControlPlane, namespace: str) -> None:
    cluster.apply(rollout(namespace))
    assert "modelType never changes" in refusal(cluster, rollout(namespace, modelType="voice"))


def test_a_rejected_version_cannot_be_asked_for_but_the_object_stays_changeable(
    cluster: ControlPlane, namespace: str
) -> None:
    cluster.apply(rollout(namespace, "sms-v2"))
    write_status(cluster, namespace, {"rejected": [version("sms-v2").model_dump()]})
    cluster.apply(rollout(namespace, "sms-v2", paused=True))
    cluster.apply(rollout(namespace, "sms-v1"))
    told = refusal(cluster, rollout(namespace, "sms-v2"))
    assert "version sms-v2 was rejected or taken back" in told


def test_the_columns_tell_the_story(cluster: ControlPlane, namespace: str) -> None:
    cluster.apply(rollout(namespace))
    ref = version("sms-v1").model_dump()
    write_status(
        cluster,
        namespace,
        {
            "phase": "Healthy",
            "stable": ref,
            "split": {"stable": ref, "stableUrl": "http://a", "weight": 12.5},
        },
    )
    head, row = cluster.run("get", "mro", "-n", namespace).splitlines()
    assert head.split() == ["NAME", "STABLE", "CANDIDATE", "WEIGHT", "PHASE", "LAST-GOOD", "AGE"]
    assert row.split()[:4] == ["sms", "sms-v1", "12.5", "Healthy"]


def test_a_spec_is_never_written_by_way_of_the_status(
    cluster: ControlPlane, namespace: str
) -> None:
    cluster.apply(rollout(namespace))
    cluster.run(
        *("patch", "mro", "sms", "-n", namespace, "--subresource=status", "--type=merge"),
        *("-p", json.dumps({"spec": {"paused": True}})),
    )
    found = cluster.get("mro", "sms", "-n", namespace)
    assert (found["spec"]["paused"], found["metadata"]["generation"]) == (False, 1)
