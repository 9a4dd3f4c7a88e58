"""Running APIs on each kind of database, with a model server behind them.

`api` is fresh for each test. `shared_api` lives as long as the process: its tests use names of
their own and never count everything.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from shield.labels import ModelType
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.postgres import new_database
from tests.support.waiting import wait_until


def wait_for_split(api: RunningApi, model_type: ModelType = ModelType.SMS) -> None:
    """Return when the API has seen the rollout."""
    wait_until(lambda: api.services.router.split(model_type), "the split was never seen")


def serve(
    stack: ExitStack, folder: Path, database_url: str | None = None, **changes: Any
) -> RunningApi:
    """Serve an API, with changed settings, whose models find a scam in whatever says `win`."""
    running = stack.enter_context(running_api(folder, database_url, **changes))
    for model_type in ModelType:
        url = stack.enter_context(model_server(model_type))
        deploy(running.services.rollouts, url, version=f"{model_type}-v1", model_type=model_type)
        wait_for_split(running, model_type)
    return running


@pytest.fixture
def api(tmp_path: Path, database_url: str) -> Iterator[RunningApi]:
    with ExitStack() as stack:
        yield serve(stack, tmp_path, database_url)


@pytest.fixture
def sqlite_api(tmp_path: Path) -> Iterator[RunningApi]:
    with ExitStack() as stack:
        yield serve(stack, tmp_path)


@pytest.fixture(
    scope="session",
    params=["sqlite", pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))],
)
def shared_api(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningApi]:
    url = new_database() if request.param == "postgresql" else None
    with ExitStack() as stack:
        yield serve(stack, tmp_path_factory.mktemp("shared"), url)


_names = count(1)


@pytest.fixture
def someone() -> str:
    """A user whom no other test knows."""
    return f"user-{next(_names)}"
