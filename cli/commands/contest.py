"""`shieldctl contest`: what senders of flagged messages say against it."""

from typing import Annotated

import typer

from cli.console import rows_table
from cli.ids import whole
from cli.session import session_of
from shield.wire import NamedKind

ContestId = Annotated[
    str,
    typer.Argument(help="As `shieldctl contest list` shows it, or how it begins."),
    NamedKind.CONTEST,
]

app = typer.Typer(
    help="Contests of flagged messages by their senders: list, show, answer.",
    no_args_is_help=True,
)


@app.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most this many.")] = 50,
) -> None:
    """List contests, newest first; they are decided in the queue, beside their campaigns."""
    session = session_of(context)
    with session.client() as client:
        contest = client.contests(limit=limit)
    columns = ["id", "modelType", "state", "reason", "contact", "createdAt"]
    empty = "Nobody has contested anything."
    session.terminal.answer(contest.items, rows_table(contest.items, columns, empty=empty))


@app.command("show")
def show(context: typer.Context, contest_id: ContestId) -> None:
    """Show a contest with its message, its reason and the answer."""
    session = session_of(context)
    with session.client() as client:
        contest = client.contest_of(whole(client, NamedKind.CONTEST, contest_id))
    session.terminal.answer(
        contest,
        f"{contest.id} ({contest.model_type}) is {contest.state}.",
        f"Message: {contest.text or 'erased'}",
        f"Reason: {contest.reason}",
        f"Contact: {contest.contact or 'none; the sender has a receipt'}",
        f"Item: {contest.feedback_id or 'none; the message is not flagged'}",
        f"Answer: {contest.answer or 'none yet'}",
    )


@app.command("answer")
def answer(
    context: typer.Context,
    contest_id: ContestId,
    text: Annotated[str, typer.Argument(help="What the sender reads.")],
) -> None:
    """Send an answer, which the sender reads beside the decision."""
    session = session_of(context)
    with session.client() as client:
        contest = client.answer_contest(whole(client, NamedKind.CONTEST, contest_id), text)
    session.terminal.answer(contest, f"Answered {contest.id}.")
