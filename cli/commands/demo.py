"""`shieldctl demo`: the whole loop on real parts, with measured figures."""

from pathlib import Path
from typing import Annotated

import typer

from cli.session import session_of


def demo(
    context: typer.Context,
    seed: Annotated[int, typer.Option(min=0, help="Another seed, another story.")] = 0,
    report: Annotated[Path | None, typer.Option(help="Also write the figures as JSON.")] = None,
    picture: Annotated[
        Path | None, typer.Option(help="Also write a picture of the terminal, as SVG.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Fewer messages and epochs: a smoke test.")
    ] = False,
) -> None:
    """Run the whole loop on real data: train, report, review, retrain, release, undo."""
    from cli.demo.story import tell
    from cli.home import write_whole

    session = session_of(context)
    if picture is not None:
        session.terminal.start_album()
    tell(session, seed=seed, report=report, quick=quick)
    if picture is not None:
        write_whole(picture, session.terminal.picture("make demo").encode())
