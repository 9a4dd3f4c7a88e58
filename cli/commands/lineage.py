"""`shieldctl lineage`: from a poisoned message to every version that learned from it."""

from typing import Annotated

import typer

from cli.console import rows_table
from cli.ids import whole
from cli.session import session_of
from shield.errors import NotFound
from shield.wire import LineageKind, NamedKind


def lineage(
    context: typer.Context,
    kind: Annotated[LineageKind, typer.Argument(help="What was found to be poisoned.")],
    name: Annotated[
        str,
        typer.Argument(help="Its id, or how it begins; a reporter's pseudonym or user id."),
        LineageKind,
    ],
    withdraw: Annotated[
        str | None,
        typer.Option(
            help="Withdraw it from all snapshots, for this reason. Versions keep what they learned."
        ),
    ] = None,
) -> None:
    """List every version that was trained on a correction, a reporter, a campaign or a batch."""
    session = session_of(context)
    with session.client() as client:
        try:
            name = whole(client, NamedKind(kind.value), name)
        except NotFound:
            if kind is not LineageKind.REPORTER:
                raise
            # A user id: no list of these is given away, but the API knows whose it is.
        descent = client.withdraw(kind, name, withdraw) if withdraw else client.lineage(kind, name)
    serving = f" [bad]Serving now: {', '.join(descent.serving)}.[/]" if descent.serving else ""
    if descent.serving is None:
        serving = " [bad]The rollout store does not say which of them serve now.[/]"
    session.terminal.answer(
        descent,
        f"{descent.feedback} corrections, {len(descent.batches)} batches.{serving}",
        rows_table(
            descent.versions,
            ["name", "status", "tainted", "batches", "createdAt"],
            empty="No version learned from it.",
        ),
        "[quiet]Mark them with `shieldctl model taint`, so that none is proposed again. They keep "
        "what they have learned, and so does what goes on from them: train without it by "
        "`shieldctl pipeline run TYPE --set start=base`.[/]",
    )
