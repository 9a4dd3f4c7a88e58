"""What commands show on a real terminal of 80 columns: every id whole, nothing wider than it must.

Run with `-s`, it shows them to whoever wants to look.
"""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

from shield.wire import NamedKind
from tests.support.api import RunningApi
from tests.support.waiting import PATIENCE_SECONDS

COLUMNS = 80
INDENT = 20
"""Characters before the values of the facts of one thing, at most."""
LINES = [
    "audit list",
    "contest list",
    "feedback batches",
    "feedback list",
    "feedback stats",
    "known feeds",
    "known list",
    "model list sms",
    "model show sms sms-v3",
    "pipeline list",
    "pipeline parameters",
    "pipeline show weekly-sms-1-m",
    "rollout list",
    "rollout status sms",
    "status",
    "webhook list",
]
WITHOUT = ("feedback stats", "pipeline parameters")
"""Show nothing that has an id."""
_COLOURS = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def on_a_terminal(arguments: list[str], folder: Path) -> list[str]:
    """Return the lines that a person sees, colours left out."""
    controller, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, COLUMNS, 0, 0))
    environment = {**os.environ, "TERM": "xterm", "SHIELD_HOME": str(folder)}
    for name in ("COLUMNS", "NO_COLOR", "CI"):
        environment.pop(name, None)
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=subprocess.STDOUT,
        env=environment,
    )
    os.close(terminal)
    said = b""
    while True:
        try:
            part = os.read(controller, 65536)
        except OSError:  # Linux tells so that nobody holds the other end any more
            break
        if not part:
            break
        said += part
    os.close(controller)
    process.wait(PATIENCE_SECONDS)
    return _COLOURS.sub("", said.decode()).replace("\r", "").rstrip("\n").split("\n")


def test_no_id_is_broken_on_a_terminal_of_80_columns(full_api: RunningApi, tmp_path: Path) -> None:
    there = ["--api-url", full_api.url, "--token", full_api.token("rita", "reviewer", "admin")]
    with full_api.client("rita", "reviewer", "admin") as rita:
        begins = ("0", "sms-", "weekly-", "r-", "msg_")
        ids = {one.id for kind in NamedKind for each in begins for one in rita.names(kind, each)}
        hook = rita.webhooks()[0].id
    for line in [*LINES, f"webhook show {hook}"]:
        shown = on_a_terminal([*there, *line.split()], tmp_path)
        print(f"\n$ shieldctl {line}", *shown, sep="\n")
        words = {word.strip(",.:()") for each in shown for word in each.split()}
        assert ids & words or line in WITHOUT, line
        broken = {
            word
            for word in words - ids
            if len(word) > 7 and any(one.startswith(word) or one.endswith(word) for one in ids)
        }
        assert not broken, line
        for each in shown:  # one word alone may run on
            most = COLUMNS if len(each) <= COLUMNS else len(max(each.split(), key=len)) + INDENT
            assert len(each) <= most, each
