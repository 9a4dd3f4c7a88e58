"""`shieldctl rollout`: follow a release, pause, end or promote it, undo it."""

from typing import Annotated

import typer
from rich.console import RenderableType

from cli.console import as_table, rows_table
from cli.ids import whole
from cli.session import session_of
from shield.client import ShieldClient
from shield.crds.v1alpha1 import Analysis, ModelRollout, Step, Strategy
from shield.errors import NotFound
from shield.labels import ModelType, type_names
from shield.wire import NamedKind, RolloutPolicy, RolloutRequest

app = typer.Typer(
    help="Releases: status, start, pause, abort, promote, undo.", no_args_is_help=True
)

Steps = Annotated[
    list[str] | None,
    typer.Option(help="weight[:seconds[:exposures]], repeated, e.g. --step 10:3600:100."),
]
Kind = Annotated[Strategy | None, typer.Option(help="canary, ab or shadow.")]
Guard = Annotated[
    float | None, typer.Option(min=0, help="Keep the former version warm for this long.")
]
Budget = Annotated[
    float | None,
    typer.Option(
        min=0,
        max=1,
        help="How much higher its error rate may be (0.005: half a point); it is promoted once "
        "reviewers' decisions show that it is not higher by more. 1 asks for no proof.",
    ),
]
Type = Annotated[ModelType, typer.Argument(help=f"{type_names()}.")]
Reason = Annotated[str, typer.Option(help="Why; goes into the ledger and the audit log.")]


@app.command("list")
def list_(context: typer.Context) -> None:
    """List all model types that are served."""
    session = session_of(context)
    with session.client() as client:
        rollouts = client.rollouts()
    columns = ["name", "status.phase", "status.stable", "status.candidate", "status.split.weight"]
    session.terminal.answer(rollouts, rows_table(rollouts, columns, empty="Nothing is served yet."))


@app.command("status")
def status(context: typer.Context, model_type: Type) -> None:
    """Show which version serves which share of users, and the last transitions."""
    session = session_of(context)
    with session.client() as client:
        rollout = client.rollout(model_type)
    session.terminal.answer(rollout, *describe(rollout))


@app.command("start")
def start(
    context: typer.Context,
    model_type: Type,
    version: Annotated[
        str,
        typer.Argument(help="Its name, e.g. sms-v3, or how it or its digest begins."),
        NamedKind.VERSION,
    ],
    step: Steps = None,
    strategy: Kind = None,
    guard_seconds: Guard = None,
    error_budget: Budget = None,
    reason: Annotated[str | None, typer.Option(help="Why; goes into the ledger.")] = None,
) -> None:
    """Release a version step by step."""
    session = session_of(context)
    with session.client() as client:
        policy = _policy(client, model_type, step, strategy, guard_seconds, error_budget, reason)
        version = whole(client, NamedKind.VERSION, version, model_type=model_type)
        request = RolloutRequest.model_validate({**dict(policy), "version": version})
        rollout = client.request_rollout(model_type, request)
    session.terminal.answer(
        rollout, f"{version} is asked for. Watch it: shieldctl rollout status {model_type}"
    )


@app.command("set")
def set_(
    context: typer.Context,
    model_type: Type,
    step: Steps = None,
    strategy: Kind = None,
    guard_seconds: Guard = None,
    error_budget: Budget = None,
    reason: Annotated[str | None, typer.Option(help="Why; goes into the audit log.")] = None,
) -> None:
    """Set how versions of a model type are released, including those that weekly runs propose."""
    session = session_of(context)
    with session.client() as client:
        policy = _policy(client, model_type, step, strategy, guard_seconds, error_budget, reason)
        rollout = client.change_rollout(model_type, policy)
    spec = rollout.spec
    shares = ", ".join(f"{one.weight} % for {one.duration_seconds:g} s" for one in spec.steps)
    session.terminal.answer(
        rollout,
        f"{spec.strategy}: {shares}; warm for {spec.guard_seconds:g} s afterwards; error budget "
        f"{spec.analysis.error_budget:g}.",
    )


def _policy(
    client: ShieldClient,
    model_type: ModelType,
    step: list[str] | None,
    strategy: Strategy | None,
    guard_seconds: float | None,
    error_budget: float | None,
    reason: str | None,
) -> RolloutPolicy:
    """Return what the options say; of how candidates are judged only the budget changes."""
    analysis = None
    if error_budget is not None:
        try:
            present = client.rollout(model_type).spec.analysis
        except NotFound:
            present = Analysis()
        analysis = present.model_copy(update={"error_budget": error_budget})
    return RolloutPolicy(
        strategy=strategy,
        steps=[read_step(text) for text in step] if step else None,
        analysis=analysis,
        guard_seconds=guard_seconds,
        reason=reason,
    )


@app.command("undo")
def undo(context: typer.Context, model_type: Type, reason: Reason) -> None:
    """Return to the last known good version at once."""
    session = session_of(context)
    with session.client() as client:
        rollout = client.undo_rollout(model_type, reason)
    session.terminal.answer(
        rollout, f"Asked. Watch it: shieldctl rollout status {model_type}", *describe(rollout)
    )


@app.command("abort")
def abort(context: typer.Context, model_type: Type, reason: Reason) -> None:
    """End a trial without a judgement; the version may be asked for again."""
    session = session_of(context)
    with session.client() as client:
        rollout = client.abort_rollout(model_type, reason)
    session.terminal.answer(rollout, "The trial ends.", *describe(rollout))


@app.command("pause")
def pause(
    context: typer.Context,
    model_type: Type,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Stay at the current step. Evidence is still judged, and an undo still works."""
    session = session_of(context)
    with session.client() as client:
        session.terminal.answer(client.pause_rollout(model_type, reason), "Paused.")


@app.command("resume")
def resume(
    context: typer.Context,
    model_type: Type,
    reason: Annotated[str | None, typer.Option(help="Why.")] = None,
) -> None:
    """Continue from the current step."""
    session = session_of(context)
    with session.client() as client:
        session.terminal.answer(client.resume_rollout(model_type, reason), "Resumed.")


@app.command("promote")
def promote(context: typer.Context, model_type: Type, reason: Reason) -> None:
    """Promote the candidate now, even if evidence is missing; your name and reason are recorded."""
    session = session_of(context)
    with session.client() as client:
        session.terminal.answer(client.promote_rollout(model_type, reason), "Asked to promote.")


def read_step(text: str) -> Step:
    """Read `weight[:seconds[:exposures]]`.

    Raises:
        Invalid: Not that form, or values out of range.
    """
    from shield.errors import Invalid

    parts = text.split(":")
    try:
        if len(parts) > 3:
            raise ValueError
        readers = {"weight": int, "duration_seconds": float, "minimum_exposures": int}
        numbers = zip(readers.items(), parts, strict=False)
        return Step.model_validate({name: read(part) for (name, read), part in numbers})
    except ValueError as error:
        raise Invalid(
            f"--step {text!r} cannot be read. Write weight[:seconds[:exposures]], e.g. 25:600:100."
        ) from error


def describe(rollout: ModelRollout) -> tuple[RenderableType, ...]:
    """Return what a person wants to see of a rollout."""
    now = rollout.status
    split = now.split
    facts = {
        "model type": rollout.spec.model_type,
        "phase": now.phase,
        "stable": now.stable,
        "candidate": now.candidate,
        "on the candidate": f"{split.weight:g} %" if split and now.candidate else None,
        "wanted": rollout.spec.version,
        "paused": "until somebody resumes" if rollout.spec.paused else None,
        "last known good": now.last_known_good,
        "rejected": [version.name for version in now.rejected],
    }
    conditions = rows_table(
        now.conditions, ["type", "status", "reason", "message"], empty="No conditions yet."
    )
    history = rows_table(
        now.history[-8:], ["at", "action", "version", "previous", "reason"], empty="No history yet."
    )
    return as_table(facts), "", conditions, "", history
