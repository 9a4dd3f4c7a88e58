"""All commands of `shieldctl`, and the options they share."""

from pathlib import Path
from typing import Annotated

import typer

from cli.commands import (
    audit,
    corpus,
    db,
    demo,
    doctor,
    feedback,
    inbox,
    known,
    lineage,
    model,
    pipeline,
    review,
    rollout,
    status,
    token,
    up,
    webhook,
)
from cli.console import Terminal
from cli.session import Session

_EVERYWHERE = {"--json": 0, "--quiet": 0, "-q": 0, "--data-dir": 1, "--api-url": 1, "--token": 1}
"""Options of the root that may stand anywhere on the line, with the number of their values."""

app = typer.Typer(
    name="shieldctl",
    help="Scam filters that learn from their users: feedback, review, retraining, rollout, undo.",
    epilog="The options above may also stand after the command: `shieldctl rollout status --json`.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
app.command("up")(up.up)
app.command("demo")(demo.demo)
app.command("status")(status.status)
app.command("doctor")(doctor.doctor)
app.command("scan")(feedback.scan)
app.add_typer(feedback.app, name="feedback")
app.add_typer(review.app, name="review")
app.add_typer(model.app, name="model")
app.add_typer(rollout.app, name="rollout")
app.add_typer(pipeline.app, name="pipeline")
app.add_typer(db.app, name="db")
app.add_typer(token.app, name="token")
app.add_typer(audit.app, name="audit")
app.add_typer(known.app, name="known")
app.add_typer(corpus.app, name="corpus")
app.add_typer(webhook.app, name="webhook")
app.command("inbox")(inbox.inbox)
app.command("lineage")(lineage.lineage)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"shieldctl {version('antispam-shield')}")
        raise typer.Exit


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
            wanted = _EVERYWHERE[word]
            front += waiting[:wanted]
            waiting = waiting[wanted:]
    return [*front, *rest]
