"""Run a command that ends with its parent: `python tether.py PARENT_PID COMMAND...` (Linux).

The kernel kills the command when its parent ends, even by SIGKILL, so that no model server outlives
its operator. This is set up in the child, because code between fork and exec can deadlock in a
parent with threads. The command is tied to the *thread* that started it, so start it from one that
lives as long as the parent.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(arguments: list[str]) -> None:
    """Tie this process to its parent, then exec the command."""
    parent, command = int(arguments[0]), arguments[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it was gone before the tie was made
            sys.exit(1)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
