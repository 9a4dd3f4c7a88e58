"""Interactive shells on a terminal of their own: somebody who types, and sees what comes of it."""

import fcntl
import os
import pty
import re
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from time import monotonic

from tests.support.waiting import PATIENCE_SECONDS

_ESCAPES = re.compile(r"\x1b(?:\[[0-9;?>=]*[a-zA-Z]|[()].|[=>])")
"""What shells tell a terminal of colours and places."""
SHELLS = {
    "bash": ["bash", "-i"],
    "zsh": ["zsh", "-i"],
    "fish": ["fish", "-i"],
}


def ensure_shells() -> None:
    """Install what is missing, where root may (Debian); elsewhere their tests say what is."""
    missing = [name for name in SHELLS if shutil.which(name) is None]
    if missing and os.geteuid() == 0 and shutil.which("apt-get"):
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        install = ["install", "-y", "-qq", "--no-install-recommends", *missing]
        for step in (["update", "-qq"], install):
            subprocess.run(["apt-get", *step], env=environment, check=False, stdout=sys.stderr)


class Terminal:
    """What somebody sees, and where they type."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.seen = ""

    def type(self, text: str) -> None:
        """Type, and forget what was seen before."""
        self.seen = ""
        os.write(self._descriptor, text.encode())

    def wait_for(self, words: str) -> None:
        """Return when `words` have been shown since the last typing."""
        end = monotonic() + PATIENCE_SECONDS
        while words not in _ESCAPES.sub("", self.seen):
            assert monotonic() < end, f"{words!r} was never shown: {self.seen!r}"
            if select([self._descriptor], [], [], 0.2)[0]:
                self.seen += os.read(self._descriptor, 65536).decode(errors="replace")


@contextmanager
def interactive(shell: str, home: Path) -> Iterator[Terminal]:
    """Open a shell whose start files are those of `home`, with our commands in its path."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    process = subprocess.Popen(
        ["setsid", "--ctty", *SHELLS[shell]],  # its controlling terminal, too: fish wants one
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        env=surroundings(home),
    )
    os.close(terminal)
    try:
        yield Terminal(controller)
    finally:
        process.kill()
        process.wait()
        os.close(controller)


def surroundings(home: Path) -> dict[str, str]:
    """Return the environment of somebody new, in whose path our commands are."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    kept = {name: os.environ[name] for name in ("LANG", "LC_ALL") if name in os.environ}
    return {**kept, "PATH": path, "HOME": str(home), "TERM": "xterm", "PS1": "$ "}
