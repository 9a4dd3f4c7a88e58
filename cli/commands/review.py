"""`shieldctl review`: decide corrections from a terminal, one by one or by campaign."""

from typing import Annotated

import typer

from cli.console import Terminal
from cli.ids import whole
from cli.session import session_of
from shield.client import ShieldClient
from shield.errors import Conflict, Forbidden, Invalid
from shield.labels import ModelType
from shield.wire import Decision, NamedKind, PendingItem, ReviewAction

app = typer.Typer(
    help="Decide what reported messages are: scam, harmless, undo.", no_args_is_help=True
)
_KEYS = {"s": Decision.SCAM, "h": Decision.HARMLESS}

Notes = Annotated[str | None, typer.Option(help="Why; kept with the decision.")]
FeedbackId = Annotated[
    str,
    typer.Argument(help="As `shieldctl feedback list` shows it, or how it begins."),
    NamedKind.FEEDBACK,
]
Campaign = Annotated[
    bool, typer.Option("--campaign", help="Decide all pending items of its campaign.")
]


Reason = Annotated[str | None, typer.Option(help="One of your team's list, where it has one.")]


@app.command("scam")
def scam(
    context: typer.Context,
    feedback_id: FeedbackId,
    notes: Notes = None,
    campaign: Campaign = False,
    reason: Reason = None,
    tactic: Annotated[
        str | None, typer.Option(help="Of the book of scams, e.g. `parcel-fee`.")
    ] = None,
) -> None:
    """Decide that the message is a scam, whatever the report claims."""
    _decide(context, feedback_id, Decision.SCAM, notes, campaign, reason, tactic)


@app.command("harmless")
def harmless(
    context: typer.Context,
    feedback_id: FeedbackId,
    notes: Notes = None,
    campaign: Campaign = False,
    reason: Reason = None,
) -> None:
    """Decide that the message is harmless, whatever the report claims."""
    _decide(context, feedback_id, Decision.HARMLESS, notes, campaign, reason)


@app.command("approve")
def approve(
    context: typer.Context,
    feedback_id: FeedbackId,
    notes: Notes = None,
    campaign: Campaign = False,
    reason: Reason = None,
) -> None:
    """Decide that the user is right: the correction becomes training data."""
    _decide(context, feedback_id, ReviewAction.APPROVE, notes, campaign, reason)


@app.command("reject")
def reject(
    context: typer.Context,
    feedback_id: FeedbackId,
    notes: Notes = None,
    campaign: Campaign = False,
    reason: Reason = None,
) -> None:
    """Decide that the user is wrong: the correction is never used for training."""
    _decide(context, feedback_id, ReviewAction.REJECT, notes, campaign, reason)


@app.command("undo")
def undo(
    context: typer.Context,
    feedback_id: FeedbackId,
    reason: Annotated[str | None, typer.Option(help="Why; goes into the audit log.")] = None,
) -> None:
    """Undo a decision, as long as no batch contains it."""
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
            key = typer.getchar()
            if key == "q":
                break
            if key == "u" and decided:
                client.undo_review(decided.pop())
            elif key.lower() in _KEYS:
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
    decision = _KEYS[key.lower()]
    tactic = item.tactic if decision is Decision.SCAM else None
    try:
        if key.isupper():
            shown = item.campaign.shown if item.campaign else []
            client.review(item.id, decision, scope="campaign", shown=shown, tactic=tactic)
        else:
            client.review(item.id, decision, tactic=tactic)
        decided.append(item.id)
    except (Conflict, Forbidden, Invalid) as refused:
        terminal.warn(refused.message)


def _show(terminal: Terminal, item: PendingItem, total: int) -> None:
    from rich.panel import Panel
    from rich.text import Text

    size = item.campaign.size if item.campaign else 1
    others = item.campaign.variants if item.campaign else []
    terminal.err.print(
        Panel(
            Text("\n\n".join([item.scan.text, *(f"also: {text}" for text in others)])),
            title=Text(f"{item.scan.verdict} → {item.corrected_label}?"),
            subtitle=Text(f"{total} waiting · campaign of {size} · {item.rank.reason}"),
            border_style="dim",
        )
    )
    terminal.err.print(
        "[quiet]s scam · h harmless · S, H the whole campaign · l later · u undo · q quit[/]"
    )


def _decide(
    context: typer.Context,
    feedback_id: str,
    decision: ReviewAction | Decision,
    notes: str | None,
    campaign: bool,
    reason: str | None,
    tactic: str | None = None,
) -> None:
    session = session_of(context)
    with session.client() as client:
        feedback = client.review(
            whole(client, NamedKind.FEEDBACK, feedback_id),
            decision,
            notes,
            scope="campaign" if campaign else "item",
            reason=reason,
            tactic=tactic,
        )
    session.terminal.answer(feedback, f"Feedback {feedback.id} is {feedback.status}.")
