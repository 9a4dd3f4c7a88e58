"""Where the story is told: its data directory, its running parts, and its narrator's voice."""

import contextlib
import json
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from cli import retraining, services
from cli.console import Terminal
from cli.following import follow
from cli.home import Home
from cli.supervise import Supervisor, supervised
from shield.errors import Misconfigured, Unavailable

T = TypeVar("T")
_STAMP = "DEMO"
"""Marks a data directory that a demo has made and the next one may remove."""
_SETTINGS = {
    # The whole town phones from one address; limits have tests of their own.
    "SHIELD_API_RATE_PER_USER": "",
    "SHIELD_API_RATE_PER_ADDRESS": "",
}


@dataclass
class Stage:
    """A running system to tell a story on."""

    home: Home
    url: str
    supervisor: Supervisor
    terminal: Terminal

    def chapter(self, number: int, title: str) -> None:
        """Begin a chapter."""
        self.terminal.say(f"\n[figure]{number}  {title}[/]")

    def tell(self, sentence: str) -> None:
        """Say one thing that happened."""
        self.terminal.say(f"   {sentence}")

    def wait_for(self, what: str, look: Callable[[], T | None], timeout_seconds: float) -> T:
        """Look until there is something to see, and return it.

        Raises:
            Unavailable: Nothing was seen in time.
        """
        began = time.monotonic()
        with self.terminal.busy(f"   {what}") as show:
            while (result := look()) is None:
                self.supervisor.tend()
                waited = time.monotonic() - began
                if waited > timeout_seconds:
                    raise Unavailable(
                        f"{what} did not happen within {timeout_seconds:.0f} s. "
                        f"Look into {self.home.logs}, then run the demo again."
                    )
                show(f"   {what}: {waited:.0f} s, at most {timeout_seconds:.0f} s")
                time.sleep(0.1)
        return result

    def run(
        self, start: Callable[[Callable[[retraining.Progress], None]], retraining.Job]
    ) -> dict[str, Any]:
        """Start a pipeline run, show how it goes, and return its answer."""
        return follow(self.terminal, start, tend=self.supervisor.tend, indent="   ")


@contextlib.contextmanager
def stage(root: Path, terminal: Terminal) -> Iterator[Stage]:
    """Set up a fresh system in `root`, yield it running, and stop it."""
    home = _fresh(root, terminal)
    with home.running():
        address = services.free_address("127.0.0.1", 0)
        home.make_keys()
        services.renew_machine_tokens(home)
        with supervised(home.logs, home.root, terminal.warn) as supervisor:
            supervisor.start(services.api_part(home, address, _SETTINGS))
            supervisor.start(services.operator_part(home, address, {}))
            home.announce(address.url)
            yield Stage(home, address.url, supervisor, terminal)


def _fresh(root: Path, terminal: Terminal) -> Home:
    """Return an empty data directory; a former demo's is removed, anybody else's is refused."""
    if (root / _STAMP).exists():
        # Held while it goes: a demo that still runs there must not lose its floor.
        with Home.open(root).running():
            terminal.say(f"Removing the former demo in {root}.")
            for entry in root.iterdir():
                if entry.name in ("lock", "VERSION", _STAMP):
                    continue
                shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    elif root.exists() and any(root.iterdir()):
        raise Misconfigured(
            f"{root} is not empty, and the demo tells its story on a fresh data directory. "
            "Name another with --data-dir."
        )
    home = Home.open(root)
    (root / _STAMP).write_text(json.dumps({"made_by": "shieldctl demo"}) + "\n")
    return Home.open(home.root)
