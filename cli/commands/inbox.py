"""`shieldctl inbox`: what became of your reports, and where you were told wrong."""

from typing import Annotated

import typer

from cli.session import session_of


def inbox(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most this many.")] = 20,
    read: Annotated[bool, typer.Option("--read", help="Mark them as read.")] = False,
) -> None:
    """Show your notices, newest first."""
    session = session_of(context)
    with session.client() as client:
        page = client.inbox(limit=limit)
        left = client.mark_read(up_to=page.cursor) if read else page.unread
    lines = [
        " ".join(
            part
            for part in (
                f"{notice.at:%Y-%m-%d %H:%M}",
                "-" if notice.read_at or notice.superseded else "*",
                notice.title,
                notice.sentence,
                notice.people_sentence,
            )
            if part
        )
        for notice in page.notices
    ]
    session.terminal.answer(page, *(lines or ["There is nothing yet."]), f"Unread: {left}.")
