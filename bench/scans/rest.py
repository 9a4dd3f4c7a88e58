"""What the services take while nothing happens, and what commands take to start."""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.feedback.processor import cpu_seconds
from bench.rollout.packages import make_version
from tests.support.rollouts import spec
from tests.support.stands import laptop
from tests.support.system import descendants

_COMMANDS = ("--help", "status", "token --help", "feedback --help", "rollout --help", "db --help")
_SETTLED_SECONDS = 8.0
"""After a start the services still read and learn."""


def idle(seconds: int) -> dict[str, float]:
    """Return the percentage of a core that API and operator take while a version serves."""
    with tempfile.TemporaryDirectory() as folder, laptop(Path(folder)) as stand:
        served = make_version(stand.folder, 1)
        stand.prepare(served)
        stand.store.change_spec("sms", lambda _: spec(version=served))
        stand.until_stable(served)
        time.sleep(_SETTLED_SECONDS)
        pids = {"api": _running("api"), "operator": _running("serving.operator.local")}
        before = {name: cpu_seconds(pid, alone=True) for name, pid in pids.items()}
        time.sleep(seconds)
        return {
            name: 100 * (cpu_seconds(pid, alone=True) - before[name]) / seconds
            for name, pid in pids.items()
        }


def _running(module: str) -> int:
    for pid in descendants(os.getpid()):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
        if words[1:3] == ["-m", module]:
            return pid
    raise SystemExit(f"{module} does not run.")


def commands() -> dict[str, float]:
    """Return the processor seconds of each command, the least of five."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "SHIELD_HOME": f"{folder}/none"}
        return {command: _least(command, environment) for command in _COMMANDS}


def _least(command: str, environment: dict[str, str]) -> float:
    spent = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(
            [sys.executable, "-m", "cli.main", *command.split()],
            env=environment,
            capture_output=True,
            check=False,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        spent.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return round(min(spent), 3)
