"""The embedded `Cluster`: one model server process per version in use, as children."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from serving.operator.server_process import ServerProcess
from serving.operator.state import ServerSeen
from shield.crds.v1alpha1 import ModelRollout, VersionRef

Command = Callable[[ModelRollout, VersionRef], Sequence[str]]
"""Builds the command of a version's server, without `--ready-file`."""

_Key = tuple[str, str]  # rollout uid, digest


def model_server_command(rollout: ModelRollout, version: VersionRef) -> Sequence[str]:
    """Return the command of the model server `serving.server`."""
    # The arm is where the version starts; later the split may change it without a restart.
    stable = rollout.status.stable
    arm = "stable" if stable is None or stable.digest == version.digest else "candidate"
    return [
        *(sys.executable, "-m", "serving.server"),
        *("--model-type", rollout.spec.model_type.value),
        *("--package", version.uri, "--digest", version.digest),
        *("--version", version.name, "--arm", arm, "--port", "0"),
    ]


class ProcessCluster:
    """Implements `Cluster` with child processes.

    Driven by one thread, which calls `tick` often: no locks are needed, and the children are tied
    to a thread that lives as long as the operator.

    Args:
        log_dir: Folder of the log files, one per version.
        drain_seconds: Time for which a retired server still answers.
        command: Builds the command of a server.
        environment: Environment of the servers; default: that of this process.
        clock: Returns monotonic seconds.
    """

    def __init__(
        self,
        log_dir: Path,
        *,
        drain_seconds: float = 3.0,
        command: Command = model_server_command,
        environment: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log_dir = log_dir
        self._drain_seconds = drain_seconds
        self._command = command
        self._environment = dict(os.environ if environment is None else environment)
        self._clock = clock
        self._ready_dir = Path(tempfile.mkdtemp(prefix="shield-ready-"))
        self._servers: dict[_Key, ServerProcess] = {}
        self._leaving: list[ServerProcess] = []
        self._names: dict[str, str] = {}

    def observe(self, rollout: ModelRollout) -> Mapping[str, ServerSeen]:
        """Return the servers of a rollout as they are now, by digest."""
        self.tick()
        return {
            digest: server.seen
            for (uid, digest), server in self._servers.items()
            if uid == rollout.uid
        }

    def apply(self, rollout: ModelRollout, servers: Sequence[VersionRef]) -> None:
        """Bring up what is missing, and retire what is not named."""
        self._names[rollout.uid] = rollout.name
        versions = {version.digest: version for version in servers}
        for version in servers:
            key = (rollout.uid, version.digest)
            server = self._servers.get(key)
            if server is None or server.leaving:
                if server is not None:
                    self._leaving.append(server)
                self._servers[key] = self._server(rollout, version)
            else:
                server.keep()
        for (uid, digest), server in self._servers.items():
            if uid == rollout.uid and digest not in versions:
                server.retire(self._drain_seconds)
        self.tick()

    def remove(self, rollout: ModelRollout) -> None:
        """Retire every server of a rollout that is gone."""
        self.apply(rollout, [])

    def tick(self) -> set[str]:
        """Do the due work; return the names of rollouts whose servers have changed."""
        changed: set[str] = set()
        for (uid, digest), server in list(self._servers.items()):
            before = server.seen
            server.look()
            if server.seen != before:
                changed.add(self._names[uid])
            if server.gone:
                del self._servers[uid, digest]
        for server in self._leaving:
            server.look()
        self._leaving = [server for server in self._leaving if not server.gone]
        return changed

    @property
    def steady(self) -> bool:
        """Whether every server answers and none is starting or ending."""
        return not self._leaving and all(server.steady for server in self._servers.values())

    def pids(self) -> dict[str, int]:
        """Return the process ids of running versions, by digest."""
        return {
            digest: server.pid
            for (_, digest), server in self._servers.items()
            if server.pid is not None
        }

    def close(self, grace_seconds: float = 10.0) -> None:
        """End every server and wait for it."""
        everyone = [*self._servers.values(), *self._leaving]
        for server in everyone:  # tell all of them before waiting for the first
            server.retire(0)
            server.look()
        deadline = self._clock() + grace_seconds
        for server in everyone:
            server.stop(max(0.1, deadline - self._clock()))
        self._servers.clear()
        self._leaving.clear()
        shutil.rmtree(self._ready_dir, ignore_errors=True)

    def _server(self, rollout: ModelRollout, version: VersionRef) -> ServerProcess:
        return ServerProcess(
            self._command(rollout, version),
            environment=self._environment,
            log=self._log_dir / f"{rollout.name}-{version.name}.log",
            ready_dir=self._ready_dir,
            clock=self._clock,
        )
