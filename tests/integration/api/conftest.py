"""One running API on each kind of database, with a model server behind it."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shield.labels import ModelType
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server


def wait_for_split(api: RunningApi, model_type: ModelType = ModelType.SMS) -> None:
    """Return when the API has seen the rollout."""
    until = time.monotonic() + 5
    while api.services.router.split(model_type) is None:
        assert time.monotonic() < until, "the split was never seen"
        time.sleep(0.005)


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[RunningApi]:
    """An API whose SMS model finds a scam in every message that says `win`."""
    with model_server() as url, running_api(tmp_path, database_url) as running:
        deploy(running.services.rollouts, url)
        wait_for_split(running)
        yield running
