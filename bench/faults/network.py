"""Partitions: the API cut off from the model server; and from S3, while a batch is leased."""

import os
import tempfile
import time
from pathlib import Path

from bench.faults.ledger import Account
from bench.faults.proxy import Proxy
from bench.faults.runs import Report
from bench.feedback.rows import message
from shield.artifacts.s3 import S3Store
from shield.client import ShieldClient
from shield.errors import ShieldError
from shield.labels import FeedbackType, ModelType, ScanType
from shield.rollouts.table import TableRolloutStore, rollout_engine
from shield.wire import BatchRead, ReviewAction
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.s3 import S3Server, seaweedfs
from tests.support.waiting import wait_until

_HOLD_SECONDS = 2.0
_PREDICT_TIMEOUT_SECONDS = 1.0


def models_name(mode: str) -> str:
    """Return what the kind is called in the results."""
    return f"API cut off from the model server ({mode})"


def store_name(mode: str) -> str:
    """Return what the kind is called in the results."""
    return f"S3 {mode} while a batch is leased"


def models(mode: str, runs: int) -> Report:
    """Cut the model server off; scans must be refused meanwhile, and answered soon after."""
    healed, refused = list[float](), dict[str, int]()
    with tempfile.TemporaryDirectory() as root, model_server() as behind:
        proxy = Proxy(behind)
        with (
            running_api(Path(root), predict_timeout_seconds=_PREDICT_TIMEOUT_SECONDS) as api,
            api.client("phone") as phone,
        ):
            deploy(TableRolloutStore(rollout_engine(api.services.settings.database_url)), proxy.url)
            wait_until(lambda: _scanned(phone, {}))
            for _ in range(runs):
                with proxy.broken(mode):
                    until = time.monotonic() + _HOLD_SECONDS
                    while time.monotonic() < until:
                        assert not _scanned(phone, refused), "an answer came from nowhere"
                ended = time.monotonic()
                wait_until(lambda: _scanned(phone, {}))
                healed.append(time.monotonic() - ended)
        proxy.close()
    return Report(models_name(mode), "sqlite", runs, healed, Account(0, 0, 0, 0), told=refused)


def store(mode: str, runs: int) -> Report:
    """Break S3 while a batch is leased: a clear refusal, nothing half done, and then all of it."""
    healed, refused, leased, lost = list[float](), dict[str, int](), 0, 0
    with tempfile.TemporaryDirectory() as root, seaweedfs(Path(root) / "s3") as server:
        os.environ.update(server.environment)
        proxy = Proxy(server.endpoint_url)
        artifacts = _store(server, proxy)
        with (
            running_api(Path(root) / "api", artifacts=artifacts) as api,
            model_server() as behind,
            api.client("run", "pipeline") as steps,
        ):
            deploy(TableRolloutStore(rollout_engine(api.services.settings.database_url)), behind)
            wait_until(lambda: api.services.router.split(ModelType.SMS))
            for number in range(runs):
                _approve(api, number)
                with proxy.broken(mode):
                    try:
                        steps.lease_batch(ModelType.SMS, f"run-{number}", minimum=1)
                    except ShieldError as fault:
                        refused[fault.slug] = refused.get(fault.slug, 0) + 1
                ended = time.monotonic()
                batch = wait_until(lambda n=number: _leased(steps, n))  # type: ignore[misc]
                assert batch is not None
                healed.append(time.monotonic() - ended)
                leased += batch.count
                lost += number + 1 - batch.count
                assert artifacts.exists(batch.uri), "a leased batch is not in the store"
                # Given back, so that the next run leases it again, with one more.
                steps.release_batch(batch.id, f"run-{number}", "bench")
        proxy.close()
    return Report(
        store_name(mode),
        "sqlite",
        runs,
        healed,
        Account(leased, lost, 0, 0),
        told=refused,
    )


def _scanned(phone: ShieldClient, refused: dict[str, int]) -> bool:
    try:
        phone.scan(ScanType.TEXT, "are we still on for lunch")
    except ShieldError as fault:
        refused[fault.slug] = refused.get(fault.slug, 0) + 1
        return False
    return True


def _approve(api: RunningApi, number: int) -> None:
    text = f"{message(number)} waits for you"
    with api.client("phone") as phone, api.client("rita", "reviewer") as rita:
        scan = phone.scan(ScanType.TEXT, text)
        rita.review(
            phone.send_feedback(scan.id, FeedbackType.FALSE_NEGATIVE).id, ReviewAction.APPROVE
        )


def _leased(steps: ShieldClient, number: int) -> BatchRead | None:
    try:
        return steps.lease_batch(ModelType.SMS, f"run-{number}", minimum=1).batch
    except ShieldError:
        return None


def _store(server: S3Server, proxy: Proxy) -> S3Store:
    settings = server.settings(
        endpoint_url=proxy.url, read_timeout_seconds=2, connect_timeout_seconds=1, attempts=2
    )
    return S3Store(server.new_bucket(), "", settings)
