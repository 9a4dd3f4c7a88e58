"""Leader election by a Lease on a real API server, with clocks that the test moves."""

import secrets
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from serving.operator.lease import LeaderLease
from shield.kube import Kube
from tests.support.controlplane import ControlPlane
from tests.support.waiting import PATIENCE_SECONDS

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


def test_a_leader_that_was_late_to_renew_releases_its_lease_too(kube: Kube, clock: Clock) -> None:
    one, two = candidate(kube, clock, "one"), candidate(kube, clock, "two")
    assert one.attempt()
    assert not two.attempt()
    clock.now += 12  # it may no longer write, and nobody may take over yet
    assert not one.held
    assert not two.attempt()
    one.release()
    assert two.attempt()
    one.release()
    assert two.attempt(), "what another holds is left alone"


def test_the_empty_lease_that_the_chart_makes_is_taken_at_once(kube: Kube, clock: Clock) -> None:
    kind = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease"}
    path = f"/apis/coordination.k8s.io/v1/namespaces/{kube.namespace}/leases"
    kube.create(path, {**kind, "metadata": {"name": "operator"}})
    one, two = candidate(kube, clock, "one"), candidate(kube, clock, "two")
    assert one.attempt()
    assert not two.attempt()


def test_whoever_cannot_have_the_lease_now_goes_on_trying(cluster: ControlPlane) -> None:
    name = f"test-{secrets.token_hex(4)}"
    kube = cluster.connect(name)
    lease = LeaderLease(kube, "operator", "one", renew_seconds=0.05)
    stop, gained = threading.Event(), threading.Event()
    running = threading.Thread(target=lease.run, args=(stop, lambda held: gained.set()))
    running.start()
    time.sleep(0.5)
    assert running.is_alive(), "there is no such namespace yet, which is no reason to give up"
    assert not gained.is_set()
    cluster.run("create", "namespace", name)
    assert gained.wait(PATIENCE_SECONDS)
    stop.set()
    running.join(PATIENCE_SECONDS)
    cluster.run("delete", "namespace", name, "--wait=false")
    kube.close()
