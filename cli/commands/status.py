"""`shieldctl status`: what runs, who serves, what waits."""

import typer

from cli.console import as_table, rows_table
from cli.session import session_of


def status(context: typer.Context) -> None:
    """Show which services run here, which versions serve, and what waits for a decision."""
    session = session_of(context)
    with session.client() as client:
        rollouts, stats, runs = client.rollouts(), client.stats(), client.runs()
    facts = {
        "url": client.base_url,
        "data": str(session.root) if not session.api_url else None,
        "waiting": f"{stats.pending_count} corrections for a decision",
        "last run": f"{runs[0].run_id}: {runs[0].outcome}" if runs else None,
    }
    columns = ["name", "status.phase", "status.stable", "status.candidate", "status.split.weight"]
    session.terminal.answer(
        {**facts, "rollouts": rollouts, "pending": stats.pending_count, "runs": runs[:5]},
        as_table(facts),
        "",
        rows_table(rollouts, columns, empty="No model is served yet."),
    )
