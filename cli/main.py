"""`shieldctl`: one sentence and exit code 1 for every error; tracebacks only for our own faults."""

import errno
import os
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli.commands import (
    audit,
    db,
    demo,
    feedback,
    lineage,
    model,
    pipeline,
    review,
    rollout,
    status,
    token,
    up,
)
from cli.console import Terminal
from cli.home import default_home
from cli.session import Session
from shield.errors import Invalid, Misconfigured, ShieldError, Unavailable

_EVERYWHERE = {"--json": 0, "--quiet": 0, "-q": 0, "--data-dir": 1, "--api-url": 1, "--token": 1}
"""Options of the root that may stand anywhere on the line, with the number of their values."""

app = typer.Typer(
    name="shieldctl",
    help="Scam filters that learn from their users: feedback, review, retraining, rollout, undo.",
    epilog="The options above may also stand after the command: `shieldctl rollout status --json`.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("status")(status.status)
app.command("scan")(feedback.scan)
app.add_typer(feedback.app, name="feedback")
app.add_typer(review.app, name="review")
app.add_typer(model.app, name="model")
app.add_typer(rollout.app, name="rollout")
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(db.app, name="db")
app.add_typer(token.app, name="token")
app.add_typer(audit.app, name="audit")
app.command("lineage")(lineage.lineage)


@app.callback()
def root(
    context: typer.Context,
    data_dir: Annotated[
        Path | None, typer.Option(help="Where everything is kept.", envvar="SHIELD_HOME")
    ] = None,
    api_url: Annotated[
        str | None,
        typer.Option(help="A server elsewhere, e.g. http://host:8000.", envvar="SHIELD_API_URL"),
    ] = None,
    token: Annotated[
        str | None, typer.Option(help="The token for --api-url.", envvar="SHIELD_API_TOKEN")
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Answer as JSON, for machines.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", help="No progress, only answers.")
    ] = False,
) -> None:
    """Read what all commands share."""
    terminal = Terminal(machine=json, quiet=quiet)
    context.obj = Session(data_dir, api_url, token, terminal)


def hoisted(arguments: list[str]) -> list[str]:
    """Return the arguments with the root's options in front, wherever they stood before `--`."""
    front: list[str] = []
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--":
            return [*front, *rest, word, *waiting]
        if word.split("=")[0] not in _EVERYWHERE:
            rest.append(word)
            continue
        front.append(word)
        if "=" not in word:
            wanted = _EVERYWHERE[word]
            front += waiting[:wanted]
            waiting = waiting[wanted:]
    return [*front, *rest]


def main(arguments: list[str] | None = None) -> None:
    """Run a command and turn whatever goes wrong into one sentence and an exit code."""
    line = hoisted(sys.argv[1:] if arguments is None else arguments)
    terminal = Terminal(machine="--json" in line)
    try:
        # Without its own error handling, typer returns the code of a `typer.Exit`.
        code = app(line, prog_name="shieldctl", standalone_mode=False)
        sys.stdout.flush()
        sys.exit(code if isinstance(code, int) else 0)
    except (KeyboardInterrupt, typer.Abort):
        terminal.say("Stopped.")
        sys.exit(130)
    except ShieldError as error:
        terminal.fail(error)
        sys.exit(1)
    except typer.TyperException as error:
        if message := error.format_message():  # none: a group without a command has shown its help
            terminal.fail(Invalid(f"{message.rstrip('.')}. See `shieldctl --help`."))
        sys.exit(1)
    except BrokenPipeError:
        # Whoever read our answer has enough (`| head`); Python must not complain at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        terminal.fail(_about(error))
        sys.exit(1)
    except Exception as error:  # noqa: BLE001 - the edge of the process
        terminal.fail(_fault(error))
        sys.exit(1)


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


def _fault(error: Exception) -> ShieldError:
    """Keep the traceback of a fault of ours in a file, and name the file."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    text = "".join(traceback.format_exception(error))
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
    return ShieldError(f"A fault in shieldctl itself: {type(error).__name__}: {error}. {kept}")


if __name__ == "__main__":
    main()
