"""`shieldctl pipeline`: run a retraining now, and look at those that ran."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cli import retraining, services
from cli.console import as_table, rows_table
from cli.following import follow
from cli.ids import whole
from cli.session import session_of
from cli.supervise import interruptible
from shield.labels import ModelType, type_names
from shield.retraining import RetrainingParameters, described, parsed
from shield.wire import NamedKind

app = typer.Typer(help="Retraining runs: start, list, show.", no_args_is_help=True)


@app.command("run")
def run(
    context: typer.Context,
    model_type: Annotated[ModelType, typer.Argument(help=f"{type_names()}.")],
    run_id: Annotated[
        str | None, typer.Option(help="Repeats a run: the same id leases the same batch.")
    ] = None,
    min_feedback: Annotated[int, typer.Option(min=1, help="Fewer corrections: skip.")] = (
        RetrainingParameters().min_feedback
    ),
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="See `shieldctl pipeline parameters`; repeat it."
        ),
    ] = None,
) -> None:
    """Retrain on the approved corrections now; creates at most one new version."""
    parsed(settings or [])  # a wrong name or value is refused before anything is made
    session = session_of(context)
    home = session.home()
    url = home.url()
    name = run_id or f"manual-{model_type}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    surroundings = services.environment(home, url, {})

    options = ["--min-feedback", str(min_feedback)]
    options += [part for each in settings or [] for part in ("--set", each)]
    session.terminal.say(f"Run {name}")
    with interruptible():
        result = follow(
            session.terminal,
            lambda tell: retraining.weekly(home, model_type, name, surroundings, tell, *options),
        )
    session.terminal.answer(result, as_table(result))


@app.command("parameters")
def parameters(context: typer.Context) -> None:
    """List the parameters that `--set` accepts: names, defaults, bounds, units, meanings."""
    rows = described()
    columns = ["name", "default", "bounds", "unit", "meaning"]
    session_of(context).terminal.answer(rows, rows_table(rows, columns, empty="None."))


@app.command("drift")
def drift(
    context: typer.Context,
    model_type: Annotated[ModelType, typer.Argument(help=f"{type_names()}.")],
    only_look: Annotated[bool, typer.Option("--only-look", help="Never start a retraining.")] = (
        False
    ),
) -> None:
    """Check the serving version for drift; retrain now if it has drifted."""
    session = session_of(context)
    home = session.home()
    surroundings = services.environment(home, home.url(), {})
    options = ["--only-look"] if only_look else []
    with interruptible():
        result = follow(
            session.terminal,
            lambda tell: retraining.drift(home, model_type, surroundings, tell, *options),
        )
    lines = [f"  {signal['message']}" for signal in result["signals"]] or [f"  {result['reason']}"]
    if "retraining" in result:
        ended = result["retraining"]
        lines.append(f"{ended['run_id']}: {ended['outcome']}. {ended['message']}".rstrip())
    session.terminal.answer(result, result["verdict"], *lines)


@app.command("list")
def list_(
    context: typer.Context,
    model_type: Annotated[ModelType | None, typer.Option("--type", help="Only these.")] = None,
) -> None:
    """List the runs, newest first. A refusal and a skip are outcomes, not failures."""
    session = session_of(context)
    with session.client() as client:
        recorded = client.runs(model_type=model_type)
    columns = ["runId", "modelType", "trigger", "outcome", "version", "message", "startedAt"]
    session.terminal.answer(recorded, rows_table(recorded, columns, empty="No run yet."))


@app.command("show")
def show(
    context: typer.Context,
    run_id: Annotated[
        str,
        typer.Argument(help="As `shieldctl pipeline list` shows it, or how it begins."),
        NamedKind.RUN,
    ],
) -> None:
    """Show one run with the seconds of each step."""
    session = session_of(context)
    with session.client() as client:
        run = client.run(whole(client, NamedKind.RUN, run_id))
    session.terminal.answer(run, as_table(run))


Host = Annotated[str, typer.Option(help="URL of the Kubeflow Pipelines API server.")]
Namespace = Annotated[str | None, typer.Option(help="Of the release; its runs must be there too.")]
Release = Annotated[
    str | None, typer.Option(help="Of the chart, whose runs these are [antispam-shield].")
]
TokenFile = Annotated[Path | None, typer.Option(help="Bearer token for the KFP API.")]
CaFile = Annotated[Path | None, typer.Option(help="Certificates to trust (PEM).")]


@app.command("deploy")
def deploy(
    context: typer.Context,
    host: Host,
    config: Annotated[
        Path | None,
        typer.Option(help="What to deploy (JSON). Without it: as the chart's default values say."),
    ] = None,
    only: Annotated[
        list[ModelType] | None,
        typer.Option("--type", help="Touch only this model type's runs; repeat it."),
    ] = None,
    cron: Annotated[
        str | None, typer.Option(help="When all of them retrain: the usual five fields, UTC.")
    ] = None,
    package: Annotated[
        Path | None, typer.Option(help="A compiled retraining, instead of our own.")
    ] = None,
    native: Annotated[
        bool, typer.Option(help="Keep the pipeline as Kubernetes objects (in a pod).")
    ] = False,
    namespace: Namespace = None,
    release: Release = None,
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> None:
    """Create or update our recurring runs on a Kubeflow Pipelines server; show what changed.

    Each model type has one that retrains weekly, and one that looks for drift daily.

    Deploying again changes nothing. A changed schedule, pipeline or parameter replaces a recurring
    run; one that is no longer wanted is deleted; one that is paused stays paused. With `--type`,
    runs of other model types stay as they are. Runs of another release are never touched.
    """
    options = _options(config=config, cron=cron, package=package)
    options += [word for one in only or [] for word in ("--type", one.value)]
    if native:
        options.append("--native")
    server = _options(
        host=host, namespace=namespace, release=release, token_file=token_file, ca_file=ca_file
    )
    _on_server(context, "deploy", [*server, *options])


@app.command("deployed")
def deployed(
    context: typer.Context,
    host: Host,
    config: Annotated[
        Path | None, typer.Option(help="Say what differs from this deployment file (JSON).")
    ] = None,
    namespace: Namespace = None,
    release: Release = None,
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> None:
    """Show our recurring runs on a Kubeflow Pipelines server.

    The zone, in which the server reads the cron, is known from the last run; until there is one,
    the next trigger is that of UTC.
    """
    server = _options(
        config=config,
        host=host,
        namespace=namespace,
        release=release,
        token_file=token_file,
        ca_file=ca_file,
    )
    _on_server(context, "status", server)


@app.command("undeploy")
def undeploy(
    context: typer.Context,
    host: Host,
    namespace: Namespace = None,
    release: Release = None,
    token_file: TokenFile = None,
    ca_file: CaFile = None,
) -> None:
    """Delete our recurring runs; the pipeline, its versions and past runs stay."""
    server = _options(
        host=host, namespace=namespace, release=release, token_file=token_file, ca_file=ca_file
    )
    _on_server(context, "delete", server)


def _options(**given: Path | str | None) -> list[str]:
    return [
        word
        for name, value in given.items()
        if value is not None
        for word in (f"--{name.replace('_', '-')}", str(value))
    ]


def _on_server(context: typer.Context, action: str, options: list[str]) -> None:
    # Imported here: it takes seconds, and needs Kubeflow's packages.
    from pipelines.deploy import outcomes

    changes = outcomes([action, *options])
    columns = ["name", "action", "cron", "next_trigger", "zone", "namespace", "enabled"]
    columns += ["last_outcome", "differs"] if action == "status" else ["version"]
    notes = dict.fromkeys(one["note"] for one in changes if one["note"])
    table = rows_table(changes, columns, empty="No recurring run.")
    session_of(context).terminal.answer(changes, table, *notes)
