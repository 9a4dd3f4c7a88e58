"""A step may work for longer than its run's lease; without renewals the batch goes back."""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from components.shared.environment import StepSettings
from components.shared.lease import keep_lease
from shield.errors import LeaseLost
from shield.labels import ModelType
from shield.run_files import Lease
from shield.wire import VersionRequest
from tests.support.arms import version_ref
from tests.support.learning import World, learning_world
from tests.support.waiting import wait_until

LEASE_SECONDS = 600.0


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with learning_world(tmp_path) as (world, url):
        world.make_stable(version_ref("sms-v0"), ModelType.SMS, url)
        world.correct([("pay the parcel fee", 1)])
        yield world


def leased(world: World) -> Lease:
    with world.service() as client:
        answer = client.lease_batch(ModelType.SMS, "long", minimum=1, lease_seconds=LEASE_SECONDS)
    assert answer.batch is not None
    return Lease(batch=answer.batch.id, run_id="long", seconds=LEASE_SECONDS)


def settings_of(world: World, url: str | None = None) -> StepSettings:
    token = world.api.token("pipeline", "pipeline")
    return StepSettings(api_url=url or world.api.url, api_token=token)


def use_up(world: World, lease: Lease) -> None:
    """Register a version that learned from the batch, and acknowledge it."""
    request = VersionRequest(digest="sha256:" + "a" * 64, uri="packages/a", batches=[lease.batch])
    with world.service() as client:
        version = client.register_version(ModelType.SMS, request)
        client.ack_batch(lease.batch, lease.run_id, version.name)


def test_a_training_longer_than_the_lease_keeps_its_batch(world: World) -> None:
    lease = leased(world)
    end = keep_lease(lease, settings_of(world), every_seconds=0.02)
    try:
        with world.service() as client:
            for _ in range(5):  # in all 2,000 seconds of work on a lease of 600
                world.api.clock.move_on(400)
                due = world.api.clock() + timedelta(seconds=LEASE_SECONDS - 300)

                def renewed(due: datetime = due) -> bool:
                    (batch,) = client.batches()
                    return bool(batch.lease_expires_at and batch.lease_expires_at > due)

                wait_until(renewed, "the lease was never renewed")
    finally:
        end()
    use_up(world, lease)


def test_without_renewals_the_batch_is_lost(world: World) -> None:
    lease = leased(world)
    world.api.clock.move_on(LEASE_SECONDS + 1)
    with pytest.raises(LeaseLost):
        use_up(world, lease)


def test_a_lost_lease_ends_the_renewing_and_says_so(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    lease = leased(world)
    world.api.clock.move_on(LEASE_SECONDS + 1)
    keep_lease(lease, settings_of(world), every_seconds=0.02)
    wait_until(lambda: "lease-lost" in caplog.text, "nothing was said")
    wait_until(lambda: all(thread.name != "lease" for thread in threading.enumerate()))


def test_an_outage_is_outlasted(world: World, caplog: pytest.LogCaptureFixture) -> None:
    lease, settings = leased(world), settings_of(world, "http://127.0.0.1:9")
    end = keep_lease(lease, settings, every_seconds=0.02)
    try:
        wait_until(lambda: "lease-not-renewed" in caplog.text, "nothing was said")
        settings.api_url = world.api.url  # it is back
        world.api.clock.move_on(LEASE_SECONDS / 2)
        due = world.api.clock() + timedelta(seconds=LEASE_SECONDS * 0.9)
        with world.service() as client:
            wait_until(lambda: (client.batches()[0].lease_expires_at or due) > due)
    finally:
        end()
