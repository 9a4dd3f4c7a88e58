"""`shieldctl corpus`: labelled messages that a first model starts from."""

from pathlib import Path
from typing import Annotated

import typer

from cli.console import rows_table
from cli.session import session_of
from shield.errors import NotFound
from shield.labels import ModelType

app = typer.Typer(help="Labelled messages to start from: add, fetch.", no_args_is_help=True)


@app.command("add")
def add(
    context: typer.Context,
    model_type: Annotated[ModelType, typer.Argument(help="sms, phishing or voice.")],
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV, JSONL, Parquet or Arrow with text and label, or a directory of `datasets`."
        ),
    ],
) -> None:
    """Bring your own labelled messages in; rows that cannot be used are listed, with the reason."""
    from components.prepare_corpus.add import add as add_rows
    from shield.artifacts.opening import open_store

    session = session_of(context)
    if not file.exists():
        raise NotFound(
            f"There is nothing at {file}. Name a CSV, JSONL, Parquet or Arrow file, or a directory "
            "of `Dataset.save_to_disk`."
        )
    added = add_rows(open_store(session.home().artifacts), model_type, file)
    bad = [{"line": row.line, "why": row.why} for row in added.bad]
    session.terminal.answer(
        {"taken": added.taken, "known": added.known, "bad": bad, "digest": added.digest},
        f"{added.taken} taken, {added.known} known already, {len(bad)} bad.",
        rows_table(bad, ["line", "why"], empty=""),
    )


@app.command("fetch")
def fetch(context: typer.Context) -> None:
    """Download the public mails that first phishing and voice models learn from; once."""
    from components.prepare_corpus.mails import fetch as fetch_mails
    from components.shared.environment import StepSettings

    session = session_of(context)
    path = fetch_mails(StepSettings())
    session.terminal.answer({"path": str(path)}, f"{path}")
