"""An API that starts and stops waits for nothing that does not come."""

import subprocess
import sys
from pathlib import Path

import pytest

from api.known import replica
from api.rollouts.router import ModelRouter
from tests.support.api import running_services
from tests.support.waiting import PATIENCE_SECONDS, wait_until


def test_what_follows_the_known_campaigns_stops_in_the_middle_of_silence(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "_SILENCE_SECONDS", 100 * PATIENCE_SECONDS)
    with running_services(tmp_path, database_url) as services:
        following = services.known
        assert isinstance(following, replica.Replica)
        following.start()
        wait_until(lambda: following.hearing().deaf_since is None)
        following.stop()
        assert following._thread is not None
        assert not following._thread.is_alive()


def test_who_routes_has_looked_once_it_has_started_though_nothing_is_deployed(
    tmp_path: Path,
) -> None:
    with running_services(tmp_path) as services:
        router = services.router
        assert isinstance(router, ModelRouter)
        router.start()
        try:
            assert router._loaded.is_set()
        finally:
            router.stop()
        assert not router._thread.is_alive()


def test_what_lives_as_long_as_the_process_is_no_work_for_the_garbage_collector() -> None:
    said = subprocess.run(
        [
            *(sys.executable, "-c"),
            "import gc, api.__main__ as api\n"
            "objects = len(gc.get_objects()); api.settle(); left = len(gc.get_objects())\n"
            "print(gc.isenabled() and left < objects / 100)",
        ],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=True,
    )
    assert said.stdout.strip() == "True"
