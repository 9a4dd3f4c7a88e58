"""Run a command that dies with its parent: `python -m cli.leash PARENT_PID COMMAND...`.

The kernel sends SIGTERM to the command when the parent is gone, even if that was killed with no
chance to say so (`PR_SET_PDEATHSIG`). It is set here, in the child itself, because code between
fork and exec in a parent with threads may deadlock.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent, then become the command."""
    parent, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":  # elsewhere an orderly stop must do
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before we were tied to it
        sys.exit(1)
    os.execvp(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
