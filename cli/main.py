"""`shieldctl`: one sentence and exit code 1 for every error; tracebacks only for our own faults."""

import errno
import os
import sys
import traceback
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import shield.lazy
from shield.errors import Invalid, Misconfigured, ShieldError, Unavailable

if TYPE_CHECKING:
    from cli.console import Terminal

_INTERRUPTED = 130
"""What shells call a process that Ctrl-C has ended."""


def main(arguments: list[str] | None = None) -> None:
    """Run a command and turn whatever goes wrong into one sentence and an exit code."""
    try:
        # Some tenths of a second of imports, in which a Ctrl-C must not look like a crash.
        shield.lazy.types = True
        from cli.app import hoisted
        from cli.console import Terminal

        line = hoisted(sys.argv[1:] if arguments is None else arguments)
        terminal = Terminal(machine="--json" in line)
        code = _run(line, terminal)
    except KeyboardInterrupt:
        code = _INTERRUPTED
    sys.exit(code)


def _run(line: list[str], terminal: "Terminal") -> int:
    """Run a command and return its exit code."""
    import typer

    from cli.app import build, word_of

    completing = "_SHIELDCTL_COMPLETE" in os.environ
    if {"--install-completion", "--show-completion"} & set(line):
        from cli.completion import mend

        mend()
    try:
        # Without its own error handling, typer returns the code of a `typer.Exit`, and its code
        # for an interrupt.
        code = build(None if completing else word_of(line))(
            line, prog_name="shieldctl", standalone_mode=False
        )
        sys.stdout.flush()
        if code == _INTERRUPTED:
            raise KeyboardInterrupt
        return code if isinstance(code, int) else 0
    except (KeyboardInterrupt, typer.Abort):
        terminal.say("Stopped.")
        return _INTERRUPTED
    except ShieldError as error:
        terminal.fail(error)
    except typer.TyperException as error:
        if message := error.format_message():  # none: a group without a command has shown its help
            terminal.fail(Invalid(f"{message.rstrip('.')}. See `shieldctl --help`."))
    except BrokenPipeError:
        # Whoever read our answer has enough (`| head`); Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        terminal.fail(_about(error))
    except Exception as error:  # noqa: BLE001 - the edge of the process
        terminal.fail(_not_accepted(error) or _fault(error))
    return 1


def _about(error: OSError) -> ShieldError:
    where = f" ({error.filename})" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return Unavailable(
            f"The disk is full{where}: nothing half-written was kept. "
            "Make room, or name another directory with --data-dir, and try again."
        )
    return Misconfigured(
        f"The system refused{where}: {error.strerror or error}. Check the path and its rights."
    )


def _not_accepted(error: Exception) -> ShieldError | None:
    """Return what was typed that no request may hold; `None` for any other error."""
    from pydantic import ValidationError

    from shield import wire
    from shield.crds.base import Wire
    from shield.wire.base import Answer

    if not isinstance(error, ValidationError):
        return None
    kind = getattr(wire, error.title, None)
    if not isinstance(kind, type) or not issubclass(kind, Wire) or issubclass(kind, Answer):
        return None
    said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
    return Invalid(f"This is not accepted: {said}. See `--help` of the command.")


def _fault(error: Exception) -> ShieldError:
    """Keep the traceback of a fault of ours in a file, and name the file."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    text = "".join(traceback.format_exception(error))
    from cli.home import default_home

    folder = default_home() / "logs"
    try:
        if not folder.is_dir():
            raise NotADirectoryError(folder)
        path = folder / f"fault-{stamp}.txt"
        path.write_text(text)
        kept = f"The details are in {path}; please report them."
    except OSError:
        sys.stderr.write(text)
        kept = "The details are above; please report them."
    return ShieldError(f"Internal error in shieldctl: {type(error).__name__}: {error}. {kept}")


if __name__ == "__main__":
    main()
