"""`shieldctl doctor`: what is installed, reachable and writable, and the cure for what is not."""

import typer

from cli.session import Session, session_of


def doctor(context: typer.Context) -> None:
    """Check what is installed, reachable and writable; name a cure for whatever is not.

    Ends with exit code 1 if something will not work. Changes nothing.
    """
    from rich.table import Table
    from rich.text import Text

    from cli.doctor import State, Subject, findings

    session = session_of(context)
    subject = Subject(session.root, _server(session), session.own_token)
    marks = {State.GOOD: ("ok", "good"), State.NOTE: ("note", "name"), State.BAD: ("bad", "bad")}
    table = Table(box=None, pad_edge=False, show_header=False)
    results = list(findings(subject))
    for one in results:
        said = Text(one.found)
        if one.cure:
            said.append(f"\n{one.cure}", style="quiet")
        table.add_row(Text(*marks[one.state]), Text(one.check, style="quiet"), said)
    bad = sum(one.state is State.BAD for one in results)
    session.terminal.answer(
        {"well": not bad, "findings": [vars(one) for one in results]},
        table,
        "[good]All is well.[/]" if not bad else f"[bad]{bad} of {len(results)} need a cure.[/]",
    )
    if bad:
        raise typer.Exit(1)


def _server(session: Session) -> str | None:
    from cli.home import Home

    if session.api_url:
        return session.api_url.rstrip("/")
    running = Home(session.root).announced()
    return str(running["url"]) if running else None
