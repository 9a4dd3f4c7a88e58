"""`shieldctl token`: tokens that the services of this data directory accept."""

from typing import Annotated

import typer

from cli.session import mint, session_of, who
from shield.errors import Invalid, Misconfigured

app = typer.Typer(help="Sign tokens for people and services.", invoke_without_command=True)

_OWN = ("user", "reviewer", "admin")
_OWN_HOURS = 12.0
_ROLES = ("user", "reviewer", "admin", "pipeline", "operator")


@app.callback()
def own(context: typer.Context) -> None:
    """Sign tokens for people and services; without a subcommand print one of yours, for 12 hours.

    It signs you in at /login and at the API, with the roles user, reviewer and admin.
    """
    if context.invoked_subcommand is None:
        _print(context, who(), list(_OWN), _OWN_HOURS)


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


@app.command("invite")
def invite(
    context: typer.Context,
    subject: Annotated[str, typer.Argument(help="User id of the new account.")],
    days: Annotated[int, typer.Option(min=1, max=30, help="How long the link is valid.")] = 7,
) -> None:
    """Show a link that connects one phone to a new account, once.

    An account that is in use is refused: its owner connects further phones with `token pair`.
    """
    from cli.phones import shown

    session = session_of(context)
    with session.client() as client:
        told, picture = shown(client, client.invite(subject, days))
    session.terminal.answer(
        told,
        picture,
        f"Send {subject} this link, to be opened on the phone: {told['link']}\n"
        f"It is good once, until {told['expiresAt'][:10]}. Whoever opens it scans as {subject}.",
    )


@app.command("create")
def create(
    context: typer.Context,
    subject: Annotated[str | None, typer.Option(help="Whose token; default: you.")] = None,
    role: Annotated[
        list[str] | None, typer.Option(help="user, reviewer, admin, pipeline or operator.")
    ] = None,
    hours: Annotated[float, typer.Option(min=0.01, max=24 * 366, help="Valid for.")] = _OWN_HOURS,
) -> None:
    """Print a token alone, for use in scripts."""
    roles = role or ["user"]
    for name in roles:
        if name not in _ROLES:
            raise Invalid(
                f"There is no role {name!r}. Use --role with one of: {', '.join(_ROLES)}."
            )
    _print(context, subject or who(), roles, hours)


def _print(context: typer.Context, subject: str, roles: list[str], hours: float) -> None:
    session = session_of(context)
    if session.api_url:
        raise Misconfigured(
            f"A token is signed with the secret of the installation that takes it, and that of "
            f"{session.api_url} is not here. Run this where it runs, or sign in there by OIDC."
        )
    made = mint(session.home(), subject, roles, lifetime_seconds=hours * 3600)
    session.terminal.answer({"token": made, "subject": subject, "roles": roles}, made)
