"""Processes that a cluster consists of: started with a log each, ended in reverse order."""

import subprocess
from pathlib import Path

from tests.e2e.network import Place


class Processes:
    """Programs in one node's network, with their logs in one folder."""

    def __init__(self, place: Place, folder: Path) -> None:
        self._place, self._folder = place, folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def spawn(self, name: str, *command: str | Path) -> None:
        """Start a program in the folder; what it says goes to NAME.log."""
        with (self._folder / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(
                self._place.inside(*command), cwd=self._folder, stdout=log, stderr=log
            )

    def pids(self) -> list[int]:
        """Return the programs' processes."""
        return [process.pid for process in self._running.values()]

    def end(self) -> None:
        """End them, the last one first."""
        for name in reversed(list(self._running)):
            process = self._running.pop(name)
            process.terminate()
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
