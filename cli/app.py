"""All commands of `shieldctl`, and the options they share."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from cli.console import Terminal
from cli.session import Session

_EVERYWHERE = {"--json": 0, "--quiet": 0, "-q": 0, "--data-dir": 1, "--api-url": 1, "--token": 1}
"""Options of the root that may stand anywhere on the line, with the number of their values."""


class _Command(NamedTuple):
    help: str
    module: str
    is_group: bool


_COMMANDS = {
    "up": _Command(
        "Run API, model servers, rollout loop and weekly schedule until stopped.",
        "up",
        is_group=False,
    ),
    "demo": _Command(
        "Run the whole loop on real data: train, report, review, retrain, release, undo.",
        "demo",
        is_group=False,
    ),
    "status": _Command(
        "Show which services run here, which versions serve, and what waits for a decision.",
        "status",
        is_group=False,
    ),
    "doctor": _Command(
        "Check what is installed, reachable and writable; name a cure for whatever is not.",
        "doctor",
        is_group=False,
    ),
    "scan": _Command("Judge one message, as the phone would.", "feedback", is_group=False),
    "feedback": _Command("Corrections by users: send, list, count.", "feedback", is_group=True),
    "review": _Command(
        "Decide what reported messages are: scam, harmless, undo.", "review", is_group=True
    ),
    "model": _Command("Versions and packages: list, show, verify, push.", "model", is_group=True),
    "rollout": _Command(
        "Releases: status, start, pause, abort, promote, undo.", "rollout", is_group=True
    ),
    "pipeline": _Command("Retraining runs: start, list, show.", "pipeline", is_group=True),
    "db": _Command("The embedded database: migrate, back up, locate.", "db", is_group=True),
    "token": _Command("Sign tokens for people and services.", "token", is_group=True),
    "audit": _Command("The audit log: list, verify its hash chain.", "audit", is_group=True),
    "known": _Command(
        "Known campaigns, which answer other copies of a message: list, show, undo, share.",
        "known",
        is_group=True,
    ),
    "contest": _Command(
        "Contests of flagged messages by their senders: list, show, answer.",
        "contest",
        is_group=True,
    ),
    "corpus": _Command(
        "Labelled messages to learn from: list, show, add, remove, export, fetch.",
        "corpus",
        is_group=True,
    ),
    "webhook": _Command(
        "Webhooks: signed events for other systems (Standard Webhooks).", "webhook", is_group=True
    ),
    "push": _Command("The key of Web Push, which wakes phones for notices.", "push", is_group=True),
    "inbox": _Command("Show your notices, newest first.", "inbox", is_group=False),
    "lineage": _Command(
        "List every version that was trained on a correction, a reporter, a campaign or a batch.",
        "lineage",
        is_group=False,
    ),
}
"""What `shieldctl --help` shows. A command's own module is read when it is called: all of them
together take a second."""


def _version(listed: bool) -> None:
    if listed:
        from importlib.metadata import version

        typer.echo(f"shieldctl {version('antispam-shield')}")
        raise typer.Exit


_HELP = "Scam filters that learn from their users: feedback, review, retraining, rollout, undo."
_AFTER = "The options above may also stand after the command: `shieldctl rollout status --json`."


def build(word: str | None = None) -> typer.Typer:
    """Return the program with the command `word` as it is, and of the others the names alone.

    Without a word every command is there.
    """
    app = typer.Typer(
        name="shieldctl",
        help=_HELP,
        epilog=_AFTER,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(root)
    for name, command in _COMMANDS.items():
        if word not in (None, name):
            app.command(name, help=command.help)(_another)
            continue
        module = import_module(f"cli.commands.{command.module}")
        if command.is_group:
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(getattr(module, name))
    return app


def _another() -> None:
    """Stand in for a command that was not called."""
    raise AssertionError("only the command that was called is read")


def word_of(line: list[str]) -> str:
    """Return the command of a line whose root options stand in front; empty if there is none."""
    waiting = list(line)
    while waiting:
        word = waiting.pop(0)
        if not word.startswith("-"):
            return word
        if "=" not in word:
            del waiting[: _EVERYWHERE.get(word, 0)]
    return ""


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
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_version, help="Show the version."),
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
            listed = _EVERYWHERE[word]
            front += waiting[:listed]
            waiting = waiting[listed:]
    return [*front, *rest]
