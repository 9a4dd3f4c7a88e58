"""`shieldctl doctor`: what is installed, reachable and writable, and the cure for what is not."""

import typer

from cli.session import Session, session_of


def doctor(context: typer.Context) -> None:
    """Check what is installed, reachable and writable; name a cure for whatever is not.

    Ends with exit code 1 if something will not work. Changes nothing.
    """
    from rich.text import Text

    from cli.doctor import State, Subject, findings
    from cli.layout import Facts

    session = session_of(context)
    subject = Subject(session.root, _server(session), session.own_token)
    marks = {State.GOOD: ("ok", "good"), State.NOTE: ("note", "name"), State.BAD: ("bad", "bad")}
    results = list(findings(subject))
    names, told = [], []
    for one in results:
        mark, style = marks[one.state]
        names.append(Text.assemble((f"{mark:<6}", style), (one.check, "quiet")))
        cure = (f"\n{one.cure}", "quiet") if one.cure else ""
        told.append(Text.assemble(one.found, cure))
    bad = sum(one.state is State.BAD for one in results)
    session.terminal.answer(
        {"well": not bad, "findings": [vars(one) for one in results]},
        Facts(names, told),
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
