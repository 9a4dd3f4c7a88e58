"""What every `Cluster` does, whether it runs processes or Deployments."""

import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from serving.operator.cluster import Cluster
from serving.operator.deployments import KubernetesCluster
from serving.operator.live import listing
from serving.operator.processes import ProcessCluster
from serving.operator.state import ServerSeen
from shield.crds.v1alpha1 import ModelRollout, VersionRef
from shield.kube import Kube, Object
from shield.rollouts.kubernetes import KubernetesRolloutStore
from tests.support import tiny_server
from tests.support.controlplane import ControlPlane
from tests.support.operators import TEMPLATE
from tests.support.rollouts import spec, version
from tests.support.waiting import wait_until

DRAIN_SECONDS = 1.0

Place = tuple[Cluster, Callable[[str], ModelRollout]]


class AskedEachTime:
    """The live objects without a watch: asks the API server each time."""

    def __init__(self, kube: Kube) -> None:
        self._kube = kube

    def of(self, rollout: str, kind: str) -> list[Object]:
        """Return the objects of `kind` that carry the label of `rollout`."""
        return listing(self._kube, kind, rollout)[0]

    def note(self, found: Object) -> None:
        """Nothing is kept."""

    def forget(self, found: Object) -> None:
        """Nothing is kept."""


@pytest.fixture(
    params=[
        "processes",
        pytest.param("kubernetes", marks=[pytest.mark.cluster, pytest.mark.xdist_group("cluster")]),
    ]
)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """A cluster, and a way to make rollouts that own servers in it."""
    if request.param == "processes":

        def command(_: ModelRollout, ref: VersionRef) -> list[str]:
            return [sys.executable, tiny_server.__file__, ref.name, "good"]

        def make(name: str) -> ModelRollout:
            return ModelRollout(name=name, uid=f"uid-{name}", resource_version="1", spec=spec())

        cluster: Cluster = ProcessCluster(tmp_path, drain_seconds=DRAIN_SECONDS, command=command)
        yield cluster, make
        cluster.close()
        return
    plane: ControlPlane = request.getfixturevalue("cluster")
    with plane.namespace() as namespace:
        kube = plane.connect(namespace)
        store = KubernetesRolloutStore(kube)
        cluster = KubernetesCluster(
            kube,
            AskedEachTime(kube),
            template=TEMPLATE,
            clock=lambda: datetime.now(UTC),
            drain_seconds=DRAIN_SECONDS,
        )
        yield cluster, lambda name: store.change_spec(name, lambda _: spec())
        cluster.close()


def until(
    cluster: Cluster,
    rollout: ModelRollout,
    servers: list[VersionRef],
    holds: Callable[[dict[str, ServerSeen]], bool],
) -> dict[str, ServerSeen]:
    """Apply and look, as an operator does, until it holds."""
    seen: dict[str, ServerSeen] = {}

    def look() -> bool:
        nonlocal seen
        cluster.apply(rollout, servers)
        seen = dict(cluster.observe(rollout))
        return holds(seen)

    wait_until(look, lambda: seen, pause_seconds=0.05)
    return seen


def ready(*names: str) -> Callable[[dict[str, ServerSeen]], bool]:
    digests = [version(name).digest for name in names]
    return lambda seen: all(digest in seen and seen[digest].ready for digest in digests)


def test_nothing_runs_before_it_is_asked_for(place: Place) -> None:
    cluster, make = place
    assert dict(cluster.observe(make("sms"))) == {}


def test_each_version_becomes_ready_at_an_address_of_its_own(place: Place) -> None:
    cluster, make = place
    both = [version("sms-v1"), version("sms-v2")]
    seen = until(cluster, make("sms"), both, ready("sms-v1", "sms-v2"))
    urls = {seen[ref.digest].url for ref in both}
    assert len(urls) == 2
    assert None not in urls
    assert all(one.crashes == 0 and one.refusal is None for one in seen.values())


def test_asking_again_changes_nothing(place: Place) -> None:
    cluster, make = place
    rollout = make("sms")
    before = until(cluster, rollout, [version("sms-v1")], ready("sms-v1"))
    cluster.apply(rollout, [version("sms-v1")])
    assert dict(cluster.observe(rollout)) == before


def test_what_is_no_longer_named_drains_and_then_is_gone(place: Place) -> None:
    cluster, make = place
    rollout = make("sms")
    until(cluster, rollout, [version("sms-v1"), version("sms-v2")], ready("sms-v1", "sms-v2"))
    cluster.apply(rollout, [version("sms-v1")])
    assert cluster.observe(rollout)[version("sms-v2").digest].ready, "it still answers"
    seen = until(cluster, rollout, [version("sms-v1")], lambda seen: len(seen) == 1)
    assert seen[version("sms-v1").digest].ready


def test_a_version_wanted_again_while_it_drains_stays(place: Place) -> None:
    cluster, make = place
    rollout = make("sms")
    both = [version("sms-v1"), version("sms-v2")]
    before = until(cluster, rollout, both, ready("sms-v1", "sms-v2"))
    cluster.apply(rollout, both[:1])
    cluster.apply(rollout, both)
    time.sleep(DRAIN_SECONDS + 0.3)
    cluster.apply(rollout, both)
    after = cluster.observe(rollout)
    assert after[both[1].digest].url == before[both[1].digest].url
    assert after[both[1].digest].ready


def test_rollouts_do_not_touch_each_others_servers(place: Place) -> None:
    cluster, make = place
    one, other = make("sms"), make("other")
    until(cluster, one, [version("sms-v1")], ready("sms-v1"))
    until(cluster, other, [version("sms-v1")], ready("sms-v1"))
    until(cluster, other, [], lambda seen: not seen)
    assert cluster.observe(one)[version("sms-v1").digest].ready
