"""The operator of a laptop as a process, with a table and real model servers, and no API: it
waits."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from shield.artifacts.opening import open_store
from shield.crds.v1alpha1 import ModelRollout, ModelRolloutSpec, Phase, VersionRef
from shield.packages import push
from shield.rollouts.table import METADATA, TableRolloutStore, rollout_engine
from tests.support.packages import signed_package
from tests.support.rollouts import spec, until
from tests.support.waiting import PATIENCE_SECONDS, wait_until


class Laptop:
    """A data directory with a table of rollouts, packages in a store, and an operator to start."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.url = f"sqlite:///{home}/shield.db"
        engine = rollout_engine(self.url)
        METADATA.create_all(engine)
        self.store = TableRolloutStore(engine, poll_seconds=0.005)
        self.artifacts = home / "artifacts"
        self.trusted = signed_package().trusted_keys

    def version(self, name: str, variant: int) -> VersionRef:
        pushed = push(open_store(str(self.artifacts)), signed_package(variant).package.path)
        return VersionRef(name=name, digest=pushed.digest, uri=pushed.uri)

    def ask(self, **changes: object) -> ModelRollout:
        def change(was: ModelRolloutSpec | None) -> ModelRolloutSpec:
            return (was or spec("unused")).model_copy(update=changes)

        return self.store.change_spec("sms", change)

    def until(self, holds: Callable[[ModelRollout], bool]) -> ModelRollout:
        return until(lambda: self.store.get("sms"), holds, self.logs)

    def logs(self) -> str:
        return "\n".join(path.read_text()[-2000:] for path in self.home.glob("logs/*.log"))

    @contextmanager
    def operator(self) -> Iterator[subprocess.Popen[bytes]]:
        ready = self.home / "operator.ready"
        ready.unlink(missing_ok=True)
        environment = {
            **os.environ,
            "SHIELD_DATABASE_URL": self.url,
            "SHIELD_ARTIFACTS_ROOT": str(self.artifacts),
            "SHIELD_TRUSTED_KEYS": str(self.trusted),
            "SHIELD_SERVER_CACHE_DIR": str(self.home / "cache"),
            "SHIELD_SERVER_THREADS": "1",
            "SHIELD_API_URL": "http://127.0.0.1:9",  # nothing answers there
            "SHIELD_OPERATOR_LOG_DIR": str(self.home / "logs"),
            "SHIELD_OPERATOR_READY_FILE": str(ready),
            "SHIELD_OPERATOR_DRAIN_SECONDS": "0.2",
        }
        process = subprocess.Popen(
            [sys.executable, "-m", "serving.operator.local"], env=environment
        )
        try:
            wait_until(ready.exists, self.logs, process=process)
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


@pytest.fixture
def laptop(tmp_path: Path) -> Laptop:
    return Laptop(tmp_path)


def stable_is(name: str) -> Callable[[ModelRollout], bool]:
    return lambda rollout: rollout.status.stable is not None and rollout.status.stable.name == name


def answer(url: str) -> str:
    body = httpx.post(
        f"{url}/predict", json={"text": "You won a prize, call now"}, timeout=PATIENCE_SECONDS
    ).json()
    return str(body["modelVersion"])


def children(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/task/{pid}/children").read_text().split()


def test_a_version_is_installed_replaced_taken_back_and_survives_a_restart(laptop: Laptop) -> None:
    first, second = laptop.version("sms-v1", 0), laptop.version("sms-v2", 1)
    with laptop.operator() as process:
        laptop.ask(version=first)
        installed = laptop.until(stable_is("sms-v1"))
        assert installed.status.split is not None
        before = installed.status.split.stable_url
        assert answer(before) == "sms-v1"

        laptop.ask(version=second, promote=second.digest)
        promoted = laptop.until(stable_is("sms-v2"))
        assert promoted.status.split is not None
        assert answer(promoted.status.split.stable_url) == "sms-v2"
        laptop.until(
            lambda it: it.status.split is not None and it.status.split.fallback is not None
        )

        laptop.ask(undo="one", undo_reason="It flags my bank.")
        back = laptop.until(stable_is("sms-v1"))
        assert back.status.split is not None
        assert back.status.split.stable_url == before, "no new server"
        assert answer(back.status.split.stable_url) == "sms-v1"
        wait_until(lambda: len(children(process.pid)) == 1, "the version taken back is not retired")
    with laptop.operator():
        again = laptop.until(
            lambda it: it.status.split is not None and it.status.split.stable_url != before
        )
        assert again.status.split is not None
        assert answer(again.status.split.stable_url) == "sms-v1"
        assert again.status.history == back.status.history


def test_a_corrupt_package_is_rejected_with_the_servers_own_words(laptop: Laptop) -> None:
    first, second = laptop.version("sms-v1", 0), laptop.version("sms-v2", 1)
    (laptop.artifacts / second.uri / "model.int8.onnx").write_bytes(b"not a model")
    with laptop.operator():
        laptop.ask(version=first)
        laptop.until(stable_is("sms-v1"))
        laptop.ask(version=second)
        rollout = laptop.until(lambda it: bool(it.status.rejected))
        assert rollout.status.phase is Phase.DEGRADED
        assert "PackageRefused" in rollout.status.history[-1].reason


def test_a_killed_operator_takes_its_servers_with_it(laptop: Laptop) -> None:
    first = laptop.version("sms-v1", 0)
    with laptop.operator() as process:
        laptop.ask(version=first)
        rollout = laptop.until(stable_is("sms-v1"))
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert rollout.status.split is not None
        url = rollout.status.split.stable_url

        def silent() -> bool:
            try:
                return not answer(url)
            except httpx.HTTPError:
                return True

        wait_until(silent, "the model server outlived its operator")


def test_a_database_without_the_table_is_told_in_one_sentence(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "serving.operator.local"],
        env={**os.environ, "SHIELD_DATABASE_URL": f"sqlite:///{tmp_path}/none/shield.db"},
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 1
    assert "SHIELD_DATABASE_URL" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
