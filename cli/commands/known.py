"""`shieldctl known`: campaigns that reviewers have decided, whose copies are answered at once."""

from typing import Annotated

import typer

from cli.console import rows_table
from cli.ids import whole
from cli.session import session_of
from shield.labels import ModelType
from shield.wire import KnownStanding, NamedKind

KnownId = Annotated[str, typer.Argument(help="As `shieldctl known list` shows it.")]

app = typer.Typer(
    help="Known campaigns: list, show, take back (they act on everybody's copies).",
    no_args_is_help=True,
)


@app.command("list")
def list_(
    context: typer.Context,
    standing: Annotated[KnownStanding | None, typer.Option(help="Only these.")] = None,
    model_type: Annotated[ModelType | None, typer.Option("--type", help="Only these.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most this many.")] = 50,
) -> None:
    """List known campaigns, newest first, with what they have matched."""
    session = session_of(context)
    with session.client() as client:
        campaigns = client.known(standing=standing, model_type=model_type, limit=limit)
    columns = ["id", "model_type", "standing", "label", "reporters", "matches", "expires_at", "why"]
    empty = "No campaign is known yet; reviewers' decisions make them known."
    session.terminal.answer(campaigns.items, rows_table(campaigns.items, columns, empty=empty))


@app.command("show")
def show(context: typer.Context, known_id: KnownId) -> None:
    """Show one with its words and hosts, who decided, what it was held against, and its matches."""
    session = session_of(context)
    with session.client() as client:
        campaign = client.known_campaign(whole(client, NamedKind.KNOWN, known_id))
    check = campaign.checked
    session.terminal.answer(
        campaign,
        f"{campaign.id} ({campaign.model_type}) is {campaign.standing}"
        + (f": {campaign.label}" if campaign.label else ", its label is told once it is checked"),
        f"Words: {campaign.text or 'erased'}",
        f"Hosts: {', '.join(campaign.hosts) or 'none'}",
        f"Reported by {campaign.reporters}, decided by "
        f"{', '.join(campaign.reviewers) or 'one reviewer'} "
        f"on {campaign.decided_at:%Y-%m-%d %H:%M} UTC. {campaign.why}",
        f"Held against {check.scans} scans: {check.unobjected} people had not objected, "
        f"{check.against} had said otherwise, {check.other_hosts} had its words elsewhere.",
        f"Matched {campaign.matches} scans, {campaign.matches_last_hour} in the last hour; expires "
        f"{campaign.expires_at:%Y-%m-%d}.",
    )


@app.command("undo")
def undo(
    context: typer.Context,
    known_id: KnownId,
    reason: Annotated[str, typer.Option(help="Why; goes into the audit log.")],
) -> None:
    """Take one back: it matches nothing from now on, on every replica."""
    session = session_of(context)
    with session.client() as client:
        campaign = client.undo_known(whole(client, NamedKind.KNOWN, known_id), reason)
    session.terminal.answer(campaign, f"{campaign.id} matches nothing any more.")
