"""`shieldctl review`: decide corrections from a terminal, one by one or by campaign."""

from typing import Annotated

import typer

from cli.console import Terminal
from cli.ids import whole
from cli.session import session_of
from shield.client import ShieldClient
from shield.errors import Conflict, Forbidden
from shield.labels import ModelType
from shield.wire import NamedKind, PendingItem, ReviewAction

app = typer.Typer(help="Decide users' corrections: approve, reject, undo.", no_args_is_help=True)

Notes = Annotated[str | None, typer.Option(help="Why; kept with the decision.")]
FeedbackId = Annotated[str, typer.Argument(help="As `shieldctl feedback list` shows it.")]
Campaign = Annotated[
    bool, typer.Option("--campaign", help="Decide all pending items of its campaign.")
]


@app.command("approve")
def approve(
    context: typer.Context, feedback_id: FeedbackId, notes: Notes = None, campaign: Campaign = False
) -> None:
    """Say that the user is right: the correction becomes training data."""
    _decide(context, feedback_id, ReviewAction.APPROVE, notes, campaign)


@app.command("reject")
def reject(
    context: typer.Context, feedback_id: FeedbackId, notes: Notes = None, campaign: Campaign = False
) -> None:
    """Say that the user is wrong: the correction is never learned from."""
    _decide(context, feedback_id, ReviewAction.REJECT, notes, campaign)


@app.command("undo")
def undo(
    context: typer.Context,
    feedback_id: FeedbackId,
    reason: Annotated[str | None, typer.Option(help="Why; goes into the audit log.")] = None,
) -> None:
    """Take a decision back, as long as no batch holds it."""
    session = session_of(context)
    with session.client() as client:
        item = whole(client, NamedKind.FEEDBACK, feedback_id)
        feedback = client.undo_review(item, reason)
    session.terminal.answer(feedback, f"Feedback {feedback.id} waits for a decision again.")


@app.command("queue")
def queue(
    context: typer.Context,
    model_type: Annotated[ModelType | None, typer.Option("--type", help="Only these.")] = None,
) -> None:
    """Go through the queue with single keys, as in the browser; each screen names them."""
    session = session_of(context)
    decided: list[str] = []
    with session.client() as client:
        skipped: set[str] = set()
        while True:
            page = client.pending(model_type=model_type, limit=50)
            waiting = [item for item in page if item.id not in skipped]
            if not waiting:
                break
            item = waiting[0]
            _show(session.terminal, item, page.pagination.total)
            key = typer.getchar().lower()
            if key == "q":
                break
            if key == "u" and decided:
                client.undo_review(decided.pop())
            elif key in "arc":
                _press(session.terminal, client, item, key, decided)
            else:
                skipped.add(item.id)
    session.terminal.answer(
        {"decided": decided}, f"[quiet]{len(decided)} decided. Nothing else waits.[/]"
    )


def _press(
    terminal: Terminal, client: ShieldClient, item: PendingItem, key: str, decided: list[str]
) -> None:
    """Carry out one key; what another reviewer did meanwhile is told, not fatal."""
    action = ReviewAction.REJECT if key == "r" else ReviewAction.APPROVE
    try:
        if key == "c":
            shown = item.campaign.shown if item.campaign else []
            client.review(item.id, action, scope="campaign", shown=shown)
        else:
            client.review(item.id, action)
        decided.append(item.id)
    except (Conflict, Forbidden) as refused:
        terminal.warn(refused.message)


def _show(terminal: Terminal, item: PendingItem, total: int) -> None:
    from rich.panel import Panel
    from rich.text import Text

    size = item.campaign.size if item.campaign else 1
    others = item.campaign.variants if item.campaign else []
    terminal.err.print(
        Panel(
            Text("\n\n".join([item.scan.text, *(f"also: {text}" for text in others)])),
            title=f"{item.scan.verdict} → {item.corrected_label}?",
            subtitle=f"{total} waiting · campaign of {size} · {item.rank.reason}",
            border_style="dim",
        )
    )
    terminal.err.print(
        "[quiet]a approve · r reject · c whole campaign · s skip · u undo · q quit[/]"
    )


def _decide(
    context: typer.Context,
    feedback_id: str,
    action: ReviewAction,
    notes: str | None,
    campaign: bool,
) -> None:
    session = session_of(context)
    with session.client() as client:
        item = whole(client, NamedKind.FEEDBACK, feedback_id)
        feedback = client.review(item, action, notes, scope="campaign" if campaign else "item")
    session.terminal.answer(feedback, f"Feedback {feedback.id} is {feedback.status}.")
