"""`shieldctl webhook`: who is told of decisions, known campaigns, versions and rollouts."""

from datetime import datetime
from typing import Annotated

import typer

from cli.console import rows_table
from cli.ids import whole
from cli.session import session_of
from shield.wire import NamedKind

app = typer.Typer(
    help="Webhooks: signed events for other systems (Standard Webhooks).", no_args_is_help=True
)

WebhookId = Annotated[
    str,
    typer.Argument(help="As `shieldctl webhook list` shows it, or how it begins."),
    NamedKind.WEBHOOK,
]


@app.command("add")
def add(
    context: typer.Context,
    url: str,
    events: Annotated[
        list[str] | None,
        typer.Option("--event", help="A kind, e.g. known.confirmed or rollout.*; default: all."),
    ] = None,
    with_text: Annotated[
        bool, typer.Option("--with-text", help="Send messages' texts along.")
    ] = False,
) -> None:
    """Add a webhook and show its secret, this once."""
    from shield.wire import WebhookRequest

    session = session_of(context)
    with session.client() as client:
        hook = client.add_webhook(
            WebhookRequest(url=url, events=events or ["*"], with_text=with_text)
        )
    session.terminal.answer(
        hook,
        f"{hook.id} tells {hook.url} of {', '.join(hook.events)}.",
        f"Secret: {hook.secret}",
        f"Keep it: it is not shown again. `shieldctl webhook test {hook.id}` tries it out.",
    )


@app.command("list")
def list_(context: typer.Context) -> None:
    """List webhooks, with their pending and abandoned deliveries."""
    session = session_of(context)
    with session.client() as client:
        hooks = client.webhooks()
    columns = ["id", "url", "events", "withText", "waiting", "failed", "goneAt"]
    empty = "There is no webhook. `shieldctl webhook add URL` adds one."
    session.terminal.answer(hooks, rows_table(hooks, columns, empty=empty))


@app.command("show")
def show(
    context: typer.Context,
    webhook_id: WebhookId,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most this many.")] = 20,
) -> None:
    """Show a webhook's deliveries, newest first."""
    session = session_of(context)
    with session.client() as client:
        sent = client.deliveries(whole(client, NamedKind.WEBHOOK, webhook_id), limit=limit)
    columns = ["messageId", "kind", "at", "outcome", "attempts", "said"]
    session.terminal.answer(
        sent.items, rows_table(sent.items, columns, empty="Nothing was sent to it yet.")
    )


@app.command("remove")
def remove(context: typer.Context, webhook_id: WebhookId) -> None:
    """Remove a webhook and its pending deliveries."""
    session = session_of(context)
    with session.client() as client:
        hook = client.remove_webhook(whole(client, NamedKind.WEBHOOK, webhook_id))
    session.terminal.answer(hook, f"{hook.url} is told nothing any more.")


@app.command("test")
def test(context: typer.Context, webhook_id: WebhookId) -> None:
    """Send a test event now, and show its delivery."""
    session = session_of(context)
    with session.client() as client:
        came = client.test_webhook(whole(client, NamedKind.WEBHOOK, webhook_id))
    session.terminal.answer(came, f"{came.outcome.capitalize()}. {came.said}")


@app.command("replay")
def replay(
    context: typer.Context,
    webhook_id: WebhookId,
    message: Annotated[
        list[str] | None,
        typer.Option(
            help="Its webhook-id, or how it begins; repeat it. Default: all that were given up."
        ),
        NamedKind.EVENT,
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(help="All events since then, delivered or not (UTC).")
    ] = None,
) -> None:
    """Send events again, with their original ids."""
    from datetime import UTC

    from shield.wire import ReplayRequest

    session = session_of(context)
    at = since.replace(tzinfo=UTC) if since is not None else None
    with session.client() as client:
        hook = whole(client, NamedKind.WEBHOOK, webhook_id)
        events = [whole(client, NamedKind.EVENT, each) for each in message or []]
        sent = client.replay_webhook(hook, ReplayRequest(messages=events, since=at))
    session.terminal.answer(
        {"sent": sent}, f"{sent} {'event is' if sent == 1 else 'events are'} on the way."
    )
