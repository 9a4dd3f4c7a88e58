"""`shieldctl lineage`: from a poisoned message to every version that learned from it."""

from typing import Annotated

import typer

from cli.console import rows_table
from cli.session import session_of
from shield.errors import Invalid


def lineage(
    context: typer.Context,
    feedback: Annotated[str | None, typer.Option(help="Id of one correction.")] = None,
    reporter: Annotated[str | None, typer.Option(help="Pseudonym of a reporter.")] = None,
    campaign: Annotated[str | None, typer.Option(help="Id of a campaign.")] = None,
    batch: Annotated[str | None, typer.Option(help="Id of a sealed batch.")] = None,
    withdraw: Annotated[
        str | None, typer.Option(help="Take them out of all snapshots; the reason why.")
    ] = None,
) -> None:
    """Name every version that learned from a correction, a reporter, a campaign or a batch."""
    session = session_of(context)
    given = {"feedback": feedback, "reporter": reporter, "campaign": campaign, "batch": batch}
    if sum(value is not None for value in given.values()) != 1:
        raise Invalid("Name exactly one of --feedback, --reporter, --campaign and --batch.")
    with session.client() as client:
        found = client.withdraw(withdraw, **given) if withdraw else client.lineage(**given)
    serving = f" [bad]Serving now: {', '.join(found.serving)}.[/]" if found.serving else ""
    session.terminal.answer(
        found,
        f"{found.feedback} corrections, {len(found.batches)} batches.{serving}",
        rows_table(
            found.versions,
            ["name", "status", "tainted", "batches", "createdAt"],
            empty="No version learned from it.",
        ),
        "[quiet]Mark them with `shieldctl model taint`, so that none is proposed again.[/]",
    )
