"""The embedded cluster, with real child processes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from serving.operator.processes import ProcessCluster
from serving.operator.state import ServerSeen
from shield.crds.v1alpha1 import ModelRollout, VersionRef
from tests.support import tiny_server
from tests.support.rollouts import spec, version
from tests.support.waiting import PATIENCE_SECONDS, alive, wait_until

ROLLOUT = ModelRollout(name="sms", uid="u-1", resource_version="1", spec=spec("sms-v1"))
MODES: dict[str, str] = {}


def command(_: ModelRollout, ref: VersionRef) -> list[str]:
    return [sys.executable, tiny_server.__file__, ref.name, MODES.get(ref.name, "good")]


@pytest.fixture(autouse=True)
def _all_good() -> Iterator[None]:
    MODES.clear()
    yield
    MODES.clear()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ProcessCluster]:
    cluster = ProcessCluster(tmp_path / "logs", drain_seconds=0.5, command=command)
    yield cluster
    cluster.close()


def until(cluster: ProcessCluster, name: str, holds: Callable[[ServerSeen], bool]) -> ServerSeen:
    def look() -> ServerSeen | None:
        seen = cluster.observe(ROLLOUT).get(version(name).digest)
        return seen if seen is not None and holds(seen) else None

    found = wait_until(look, lambda: f"{name} never got there: {cluster.observe(ROLLOUT)}")
    assert found is not None
    return found


def answers(url: str) -> str:
    return str(
        httpx.post(f"{url}/predict", json={"texts": []}, timeout=PATIENCE_SECONDS).json()[
            "modelVersion"
        ]
    )


def test_each_version_gets_a_server_of_its_own_that_answers(cluster: ProcessCluster) -> None:
    cluster.apply(ROLLOUT, [version("sms-v1"), version("sms-v2")])
    urls = [until(cluster, name, lambda seen: seen.ready).url for name in ("sms-v1", "sms-v2")]
    assert [answers(url) for url in urls if url] == ["sms-v1", "sms-v2"]


def test_applying_again_starts_nothing_new(cluster: ProcessCluster) -> None:
    cluster.apply(ROLLOUT, [version("sms-v1")])
    until(cluster, "sms-v1", lambda seen: seen.ready)
    before = cluster.pids()
    cluster.apply(ROLLOUT, [version("sms-v1")])
    assert cluster.pids() == before


def test_a_retired_server_answers_while_it_drains_and_then_ends(cluster: ProcessCluster) -> None:
    cluster.apply(ROLLOUT, [version("sms-v1")])
    url = until(cluster, "sms-v1", lambda seen: seen.ready).url
    pid = cluster.pids()[version("sms-v1").digest]
    cluster.apply(ROLLOUT, [])
    assert url is not None
    assert answers(url) == "sms-v1"
    wait_until(lambda: not cluster.observe(ROLLOUT))
    assert not alive(pid)


def test_a_version_wanted_again_while_it_drains_is_kept(cluster: ProcessCluster) -> None:
    cluster.apply(ROLLOUT, [version("sms-v1")])
    until(cluster, "sms-v1", lambda seen: seen.ready)
    before = cluster.pids()
    cluster.apply(ROLLOUT, [])
    cluster.apply(ROLLOUT, [version("sms-v1")])
    time.sleep(0.7)
    assert cluster.observe(ROLLOUT)[version("sms-v1").digest].ready
    assert cluster.pids() == before


def test_a_refused_package_is_told_in_the_servers_words_and_not_tried_again(
    cluster: ProcessCluster,
) -> None:
    MODES["sms-v2"] = "refused"
    cluster.apply(ROLLOUT, [version("sms-v2")])
    seen = until(cluster, "sms-v2", lambda seen: seen.refusal is not None)
    assert seen.refusal == "The package of sms-v2 is not signed."
    assert (seen.ready, seen.crashes) == (False, 0)
    time.sleep(0.5)
    assert not cluster.pids()


def test_a_crashed_server_is_restarted_with_backoff_and_counted(cluster: ProcessCluster) -> None:
    MODES["sms-v2"] = "once"
    cluster.apply(ROLLOUT, [version("sms-v2")])
    seen = until(cluster, "sms-v2", lambda seen: seen.ready)
    assert seen.crashes == 1
    os.kill(cluster.pids()[version("sms-v2").digest], signal.SIGKILL)
    assert not until(cluster, "sms-v2", lambda seen: seen.crashes == 2).ready
    assert until(cluster, "sms-v2", lambda seen: seen.ready).crashes == 2


def test_a_server_that_always_crashes_is_tried_more_and_more_rarely(
    cluster: ProcessCluster,
) -> None:
    MODES["sms-v2"] = "crash"
    cluster.apply(ROLLOUT, [version("sms-v2")])
    until(cluster, "sms-v2", lambda seen: seen.crashes == 3)
    time.sleep(0.4)
    assert cluster.observe(ROLLOUT)[version("sms-v2").digest].crashes == 3


def test_an_artifact_store_that_is_away_is_no_crash_of_the_version(
    cluster: ProcessCluster,
) -> None:
    MODES["sms-v2"] = "away"
    cluster.apply(ROLLOUT, [version("sms-v2")])
    seen = until(cluster, "sms-v2", lambda seen: seen.ready)
    assert (seen.crashes, seen.refusal) == (0, None)


def test_closing_ends_every_server(cluster: ProcessCluster) -> None:
    cluster.apply(ROLLOUT, [version("sms-v1"), version("sms-v2")])
    until(cluster, "sms-v1", lambda seen: seen.ready)
    pids = list(cluster.pids().values())
    cluster.close()
    assert not any(alive(pid) for pid in pids)


def test_no_server_outlives_an_operator_that_was_killed(tmp_path: Path) -> None:
    script = f"""
import sys, time
from pathlib import Path
from serving.operator.processes import ProcessCluster
from tests.integration.operator.test_processes import ROLLOUT, command, until, version
cluster = ProcessCluster(Path({str(tmp_path)!r}), command=command)
cluster.apply(ROLLOUT, [version("sms-v1")])
until(cluster, "sms-v1", lambda seen: seen.ready)
print(*cluster.pids().values(), flush=True)
time.sleep(600)
"""
    parent = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    wait_until(lambda: not alive(child))
