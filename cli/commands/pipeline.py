"""`shieldctl pipeline`: run a retraining now, and look at those that ran."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer

from cli import retraining, services
from cli.console import as_table, rows_table
from cli.session import session_of
from cli.supervise import interruptible
from shield.errors import NotFound, Unavailable
from shield.labels import ModelType

app = typer.Typer(help="Retraining runs: start one, list them, show one.", no_args_is_help=True)


@app.command("run")
def run(
    context: typer.Context,
    model_type: Annotated[ModelType, typer.Argument(help="sms, phishing or voice.")],
    run_id: Annotated[
        str | None, typer.Option(help="The same id is the same run: it gets the same batch.")
    ] = None,
    min_feedback: Annotated[int, typer.Option(min=1, help="Fewer corrections: skip.")] = 50,
) -> None:
    """Learn from the approved corrections now: at most one new version comes out."""
    session = session_of(context)
    home = session.home()
    running = home.announced()
    if running is None:
        raise Unavailable(
            f"No services run on {home.root}, so there is nothing to learn from. "
            "Start them with `shieldctl up`."
        )
    name = run_id or f"manual-{model_type}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    surroundings = services.environment(home, str(running["url"]), {})

    def tell(progress: retraining.Progress) -> None:
        if progress.state != "started":
            session.terminal.say(f"  {progress.name:<16} {progress.seconds or 0:6.1f} s")

    session.terminal.say(f"Run {name}")
    with interruptible():
        job = retraining.weekly(
            home, model_type, name, surroundings, tell, "--min-feedback", str(min_feedback)
        )
        try:
            while not job.poll():
                time.sleep(0.1)
        finally:
            job.stop()
    found = job.result()
    session.terminal.answer(found, as_table(found))


@app.command("list")
def list_(
    context: typer.Context,
    model_type: Annotated[ModelType | None, typer.Option("--type", help="Only these.")] = None,
) -> None:
    """List the runs, newest first. A refusal and a skip are outcomes, not failures."""
    session = session_of(context)
    with session.client() as client:
        found = client.runs(model_type=model_type)
    columns = ["runId", "modelType", "trigger", "outcome", "version", "message", "startedAt"]
    session.terminal.answer(found, rows_table(found, columns, empty="No run yet."))


@app.command("show")
def show(context: typer.Context, run_id: str) -> None:
    """Show one run with the seconds of each step."""
    session = session_of(context)
    with session.client() as client:
        found = [run for run in client.runs() if run.run_id == run_id]
    if not found:
        raise NotFound.of("run", run_id, "List them with `shieldctl pipeline list`.")
    session.terminal.answer(found[0], as_table(found[0]))


@app.command("server", context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def server(context: typer.Context) -> None:
    """Bring a Kubeflow Pipelines server to what a file says: deploy, status, delete, compile.

    For example `shieldctl pipeline server deploy --host URL --config deployment.json`; the options
    are those of `python -m pipelines.deploy`.
    """
    from pipelines.deploy import main

    try:
        code = main(context.args)
    except SystemExit as wrong_usage:
        code = 1 if wrong_usage.code else 0
    raise typer.Exit(code)
