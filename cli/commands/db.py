"""`shieldctl db`: the database of the data directory."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Annotated

import typer

from cli.session import session_of
from shield.errors import AlreadyExists, NotFound

app = typer.Typer(help="The embedded database: migrate, back up, locate.", no_args_is_help=True)


@app.command("migrate")
def migrate(context: typer.Context) -> None:
    """Bring the schema up to date; `shieldctl up` does it by itself."""
    from api.kit.database import open_engine
    from api.migrate import migrate as bring_up_to_date

    session = session_of(context)
    url = session.home().database_url
    revision = bring_up_to_date(open_engine(url))
    session.terminal.answer({"url": url, "revision": revision}, f"{url} is at {revision}.")


@app.command("backup")
def backup(
    context: typer.Context,
    target: Annotated[Path, typer.Argument(help="A new file.")],
) -> None:
    """Back up the database while it is in use; the copy is consistent."""
    session = session_of(context)
    source = session.home().root / "shield.db"
    if not source.exists():
        raise NotFound(
            f"There is no database at {source} yet. It is made by the first `shieldctl up`."
        )
    if target.exists():
        raise AlreadyExists(f"{target} exists. Name a new file; a backup is never overwritten.")
    part = target.with_name(f".{target.name}.part")
    try:
        with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(part)) as copy:
            live.backup(copy)
        part.chmod(0o600)
        part.replace(target)
    finally:
        part.unlink(missing_ok=True)
    size = target.stat().st_size
    session.terminal.answer({"path": str(target), "bytes": size}, f"{target} ({size:,} bytes)")


@app.command("url")
def url(context: typer.Context) -> None:
    """Print where the database is."""
    session = session_of(context)
    address = session.home().database_url
    session.terminal.answer({"url": address}, address)
