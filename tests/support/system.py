"""The whole system as a user starts it: `shieldctl up`, on a data directory of its own."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cli.home import Home
from cli.session import mint
from shield.client import ShieldClient
from shield.errors import ShieldError
from shield.labels import ModelType
from shield.wire import VersionStatus
from tests.support.packages import signed_package
from tests.support.waiting import PATIENCE_SECONDS, wait_until


@dataclass
class System:
    """A running `shieldctl up`."""

    home: Home
    url: str
    process: "subprocess.Popen[str]"
    greeting: dict[str, Any]

    def client(self, name: str, *roles: str) -> ShieldClient:
        """Return a client of somebody with these roles."""
        return ShieldClient(self.url, mint(self.home, name, roles, lifetime_seconds=3600))

    def shieldctl(self, *arguments: str) -> Any:
        """Run a command on this system and return its JSON answer."""
        done = shieldctl(self.home.root, *arguments, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def processes(self) -> list[int]:
        """Return the ids of the supervisor and of everything it has started."""
        return [self.process.pid, *descendants(self.process.pid)]


def shieldctl(home: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run one command to its end."""
    command = [sys.executable, "-m", "cli.main", "--data-dir", str(home), *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=PATIENCE_SECONDS
    )


@contextlib.contextmanager
def running_system(home: Path, *options: str, first_model: bool = False) -> Iterator[System]:
    """Start the services, yield them ready, and stop them as Ctrl-C does."""
    command = [sys.executable, "-m", "cli.main", "--data-dir", str(home), "up", "--port", "0"]
    command += ["--json", *([] if first_model else ["--no-base"]), *options]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    try:
        greeting = _greeting(process)
        yield System(Home.open(home), str(greeting["url"]), process, greeting)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        process.communicate(timeout=PATIENCE_SECONDS)


def serve(system: System, folder: Path, variant: int = 0, step: str = "50:0:0") -> str:
    """Sign, push and release the small test model `variant`; return the version's name.

    The step stays for the versions after it: `50:600:0` holds them at half of the users.
    """
    package = folder / f"package-{variant}"
    shutil.copytree(signed_package(variant).package.path, package, copy_function=os.link)
    (package / "manifest.sig").unlink()
    system.shieldctl("model", "sign", str(package))
    name = str(system.shieldctl("model", "push", str(package))["name"])
    # Nobody decides anything here, so the release asks for no proof that the version is good.
    system.shieldctl("rollout", "start", "sms", name, "--step", step, "--error-budget", "1")
    with system.client("waiting", "admin") as client:
        wait_until_serving(client, name)
    return name


def wait_until_serving(client: ShieldClient, version: str) -> None:
    """Wait until `version` alone answers, and the registry says so."""
    status = None

    def serves() -> bool:
        nonlocal status
        with contextlib.suppress(ShieldError):
            status = client.rollout(ModelType.SMS).status
            alone = status.candidate is None and status.split is not None
            if alone and status.split and status.split.stable.name == version:
                # It answers first and is written down a moment later.
                return client.version(ModelType.SMS, version).status is VersionStatus.DEPLOYED
        return False

    wait_until(serves, lambda: f"{version} does not serve: {status}", pause_seconds=0.05)


def descendants(pid: int) -> list[int]:
    """Return the ids of all living children of a process, and theirs, zombies left out."""
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                parents.setdefault(int(parent), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found


def _greeting(process: "subprocess.Popen[str]") -> dict[str, Any]:
    """Read the JSON that `up --json` prints once everything answers."""
    assert process.stdout is not None
    text = ""
    while not text.endswith("}\n"):
        line = process.stdout.readline()
        if not line:
            raise AssertionError(f"shieldctl up ended: {process.communicate()[1]}")
        text += line
    found: dict[str, Any] = json.loads(text)
    return found
