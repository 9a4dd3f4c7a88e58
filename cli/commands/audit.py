"""`shieldctl audit`: list the audit log and verify its hash chain."""

from typing import Annotated

import typer

from cli.console import rows_table
from cli.session import session_of
from shield.errors import ShieldError

app = typer.Typer(help="The audit log: list, verify its hash chain.", no_args_is_help=True)


@app.command("list")
def list_(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=200, help="At most this many.")] = 50,
) -> None:
    """List decisions, deploys, undos, exports, decryptions and erasures, newest first."""
    session = session_of(context)
    with session.client() as client:
        entries = client.audit(limit=limit)
    columns = ["sequence", "at", "actor", "action", "subject", "reason"]
    session.terminal.answer(entries.items, rows_table(entries.items, columns, empty="Nothing yet."))


@app.command("verify")
def verify(
    context: typer.Context,
    head: Annotated[
        str | None, typer.Option(help="An earlier hash that the log must still contain.")
    ] = None,
) -> None:
    """Verify the hash chain and the published heads; exit code 1 if they do not match.

    The head of the log is published in the artifact store every ten minutes, signed.
    """
    session = session_of(context)
    with session.client() as client:
        check = client.audit_verify(head)
    session.terminal.answer(
        check,
        f"{check.entries} entries, head {check.head}",
        f"compared with entry {check.published}, published {check.published_at:%Y-%m-%d %H:%M} UTC"
        if check.published and check.published_at
        else "no head was published yet",
        "[good]The chain holds.[/]" if not check.problem else "[bad]The chain is broken.[/]",
    )
    if check.problem:
        raise ShieldError(
            f"The audit log was altered: {check.problem} Compare it with a backup "
            "(`shieldctl db backup`) and find out who could write to the database."
        )
