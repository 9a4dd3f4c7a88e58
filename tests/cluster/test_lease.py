"""Leader election by a Lease on a real API server, with clocks that the test moves."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from serving.operator.lease import LeaderLease
from shield.kube import Kube
from tests.cluster.controlplane import ControlPlane

pytestmark = [pytest.mark.cluster, pytest.mark.xdist_group("cluster")]

START = datetime(2026, 1, 1, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def wall(self) -> datetime:
        return START + timedelta(seconds=self.now)


@pytest.fixture
def kube(cluster: ControlPlane, namespace: str) -> Iterator[Kube]:
    kube = cluster.connect(namespace)
    yield kube
    kube.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


def candidate(kube: Kube, clock: Clock, name: str) -> LeaderLease:
    return LeaderLease(kube, "operator", name, duration_seconds=15, wall=clock.wall, clock=clock)


def test_the_first_leads_and_the_second_waits(kube: Kube, clock: Clock) -> None:
    one, two = candidate(kube, clock, "one"), candidate(kube, clock, "two")
    assert one.attempt()
    assert not two.attempt()
    assert (one.held, two.held) == (True, False)


def test_who_renews_stays_leader(kube: Kube, clock: Clock) -> None:
    one, two = candidate(kube, clock, "one"), candidate(kube, clock, "two")
    for _ in range(10):
        assert one.attempt()
        assert not two.attempt()
        clock.now += 5


def test_a_silent_leader_is_replaced_and_stops_before_that(kube: Kube, clock: Clock) -> None:
    one, two = candidate(kube, clock, "one"), candidate(kube, clock, "two")
    assert one.attempt()
    assert not two.attempt()
    for _ in range(60):
        clock.now += 0.5
        taken = two.attempt()
        assert not (one.held and two.held), "never two at a time"
        if taken:
            break
    assert two.held
    assert not one.attempt()


def test_a_released_lease_is_taken_at_once(kube: Kube, clock: Clock) -> None:
    one, two = candidate(kube, clock, "one"), candidate(kube, clock, "two")
    assert one.attempt()
    one.release()
    assert not one.held
    assert two.attempt()
