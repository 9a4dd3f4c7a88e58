"""`shieldctl token`: tokens that the services of this data directory accept."""

from typing import Annotated

import typer

from cli.session import mint, session_of, who

app = typer.Typer(help="Sign tokens for people and services.", no_args_is_help=True)

_ROLES = ("user", "reviewer", "admin", "pipeline", "operator")


@app.command("pair")
def pair(context: typer.Context) -> None:
    """Show a code that connects one phone to your account, once, within five minutes."""
    from cli.phones import pairing

    session = session_of(context)
    with session.client() as client:
        told, picture = pairing(client)
    session.terminal.answer(
        told,
        picture,
        f"Scan this, or open /app and type {told['code']}. Whoever does scans as "
        f"{told['subject']}; it is good once, for five minutes.",
    )


@app.command("create")
def create(
    context: typer.Context,
    subject: Annotated[str | None, typer.Option(help="Whose token; default: you.")] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="user, reviewer, admin, pipeline or operator.")
    ] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 366, help="Valid for.")] = 12.0,
) -> None:
    """Print a token alone, for use in scripts."""
    from shield.errors import Invalid

    session = session_of(context)
    roles = role or ["user"]
    for name in roles:
        if name not in _ROLES:
            raise Invalid(
                f"There is no role {name!r}. Use --role with one of: {', '.join(_ROLES)}."
            )
    subject = subject or who()
    made = mint(session.home(), subject, roles, lifetime_seconds=hours * 3600)
    session.terminal.answer({"token": made, "subject": subject, "roles": roles}, made)
