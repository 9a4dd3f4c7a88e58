"""`shieldctl known`: campaigns that reviewers have decided, whose copies are answered at once."""

from pathlib import Path
from typing import Annotated

import typer
from pydantic import ValidationError

from cli.console import rows_table
from cli.ids import whole
from cli.session import session_of
from shield.errors import Invalid
from shield.labels import ModelType
from shield.wire import FeedRequest, Imported, KnownStanding, NamedKind, SignedFeed

KnownId = Annotated[
    str,
    typer.Argument(help="As `shieldctl known list` shows it, or how it begins."),
    NamedKind.KNOWN,
]

app = typer.Typer(
    help="Known campaigns, which answer other copies of a message: list, show, undo, share.",
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
    columns = ["id", "modelType", "standing", "label", "reporters", "matches", "expiresAt", "why"]
    empty = "No campaign is known yet; reviewers' decisions make them known."
    session.terminal.answer(campaigns.items, rows_table(campaigns.items, columns, empty=empty))


@app.command("show")
def show(context: typer.Context, known_id: KnownId) -> None:
    """Show a known campaign: its words and hosts, reviewers, check and matches."""
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
    """Undo a known campaign: from now on it matches no message, on any replica."""
    session = session_of(context)
    with session.client() as client:
        campaign = client.undo_known(whole(client, NamedKind.KNOWN, known_id), reason)
    session.terminal.answer(campaign, f"{campaign.id} matches nothing any more.")


_Key = Annotated[
    str | None, typer.Option(help="Their public key (base64), from themselves: trust it.")
]
_Name = Annotated[str, typer.Option(help="What the other deployment is called here.")]


@app.command("export")
def export(
    context: typer.Context,
    out: Annotated[Path, typer.Option(help="File to write.")] = Path("known-feed.json"),
) -> None:
    """Write confirmed scam campaigns into a signed file, masked, for another deployment."""
    session = session_of(context)
    with session.client() as client:
        signed = client.known_feed()
    out.write_text(signed.model_dump_json(by_alias=True) + "\n", encoding="utf-8")
    session.terminal.answer(
        signed, f"Written to {out}. Your key, for those who are to trust it: {signed.public_key}"
    )


@app.command("import")
def import_(
    context: typer.Context,
    file: Annotated[Path, typer.Argument(help="As `shieldctl known export` wrote it.")],
    key: _Key = None,
    name: _Name = "another deployment",
) -> None:
    """Import another deployment's file; its scams are shown as "reported elsewhere" (unsure)."""
    session = session_of(context)
    try:
        signed = SignedFeed.model_validate_json(file.read_text(encoding="utf-8"))
    except (OSError, ValidationError, UnicodeDecodeError) as fault:
        raise Invalid(
            f"{file} is no feed that can be read ({type(fault).__name__}). "
            "`shieldctl known export` writes one."
        ) from fault
    total = Imported()
    with session.client() as client:
        trusted = {feed.public_key for feed in client.feeds()}
        if key is not None and key not in trusted:
            client.add_feed(FeedRequest(name=name, public_key=key))
        while True:
            done = client.import_feed(signed)
            total.added += done.added
            total.refused += done.refused
            total.ended += done.ended
            total.known, total.left = done.known, done.left
            if not done.left or not done.added + done.refused:
                break
    session.terminal.answer(
        total,
        f"{total.added} new, {total.refused} refused as too ordinary, {total.ended} taken back, "
        f"{total.left} left out.",
    )


@app.command("subscribe")
def subscribe(
    context: typer.Context,
    url: Annotated[str, typer.Argument(help="Their feed: https://.../api/v2/feed.")],
    key: Annotated[str, typer.Option(help="Their public key (base64), from themselves.")],
    name: _Name = "another deployment",
) -> None:
    """Subscribe to another deployment's feed, which is then read regularly."""
    session = session_of(context)
    with session.client() as client:
        feed = client.add_feed(FeedRequest(name=name, public_key=key, url=url))
    session.terminal.answer(feed, f"{feed.id} is read from now on; see `shieldctl known feeds`.")


@app.command("feeds")
def feeds(context: typer.Context) -> None:
    """List the deployments whose feeds are trusted, with the result of the last read."""
    session = session_of(context)
    with session.client() as client:
        deployments = client.feeds()
    columns = ["id", "name", "url", "active", "readAt", "said"]
    empty = "No other deployment is trusted."
    session.terminal.answer(deployments, rows_table(deployments, columns, empty=empty))


@app.command("unsubscribe")
def unsubscribe(
    context: typer.Context,
    feed_id: Annotated[
        str,
        typer.Argument(help="As `shieldctl known feeds` shows it, or how it begins."),
        NamedKind.FEED,
    ],
) -> None:
    """Stop trusting a deployment; its campaigns that nobody here has decided are removed."""
    session = session_of(context)
    with session.client() as client:
        feed = client.remove_feed(whole(client, NamedKind.FEED, feed_id))
    session.terminal.answer(feed, f"{feed.name} is trusted no longer.")
