"""`shieldctl model`: the registry and the packages in it."""

from pathlib import Path
from typing import Annotated

import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from cli import retraining, services
from cli.console import rows_table
from cli.following import follow
from cli.ids import whole
from cli.session import Session, session_of
from cli.supervise import interruptible
from shield.artifacts import ArtifactStore
from shield.client import ShieldClient
from shield.crds.v1alpha1 import ModelRolloutStatus
from shield.labels import ModelType, type_names
from shield.packages import Trust
from shield.wire import NamedKind, VersionRead

app = typer.Typer(help="Versions and packages: list, show, verify, push.", no_args_is_help=True)

Type = Annotated[ModelType, typer.Argument(help=f"{type_names()}.")]
Package = Annotated[Path, typer.Argument(help="A directory with a manifest.json.")]


@app.command("list")
def list_(context: typer.Context, model_type: Type) -> None:
    """List all versions, oldest first."""
    session = session_of(context)
    with session.client() as client:
        versions = client.versions(model_type)
    columns = ["name", "status", "parent", "batches", "runId", "digest", "createdAt"]
    session.terminal.answer(
        versions,
        rows_table(versions, columns, empty=f"No version of {model_type} is registered yet."),
    )


@app.command("show")
def show(
    context: typer.Context,
    model_type: Type,
    name: Annotated[
        str | None,
        typer.Argument(help="Or how it or its digest begins. Default: the champion."),
        NamedKind.VERSION,
    ] = None,
) -> None:
    """Show one version: its parent and batches, its evaluation, its releases."""
    from cli.versions import described

    session = session_of(context)
    with session.client() as client:
        version = _version(client, model_type, name) if name else client.champion(model_type)
        ledger = client.ledger(model_type)
    session.terminal.answer(version, *described(version, ledger))


@app.command("compare")
def compare(
    context: typer.Context,
    old: Annotated[
        str, typer.Argument(help="What to compare with, or how it begins."), NamedKind.VERSION
    ],
    new: Annotated[
        str,
        typer.Argument(help="A version of the same type, or how it begins."),
        NamedKind.VERSION,
    ],
    all_: Annotated[bool, typer.Option("--all", help="Every kind and message.")] = False,
) -> None:
    """Compare two versions on the messages that both were judged on, as the dashboard does."""
    from cli.comparing import described, model_type_of

    session = session_of(context)
    with session.client() as client:
        first, second = (whole(client, NamedKind.VERSION, name) for name in (old, new))
        comparison = client.compare(model_type_of(first, second), first, second)
    session.terminal.answer(comparison, *described(comparison, everything=all_))


@app.command("ledger")
def ledger(context: typer.Context, model_type: Type) -> None:
    """List every release, promotion, rejection and undo, oldest first."""
    session = session_of(context)
    with session.client() as client:
        entries = client.ledger(model_type)
    columns = ["at", "action", "version", "previousVersion", "actor", "reason"]
    session.terminal.answer(entries, rows_table(entries, columns, empty="Nothing happened yet."))


@app.command("verify")
def verify(context: typer.Context, package: Package) -> None:
    """Check a package's signature and every digest in it."""
    from shield.packages import ModelPackage

    session = session_of(context)
    checked = ModelPackage.open(package).verify(_trust(session))
    session.terminal.answer(
        {"digest": checked.digest, "files": checked.manifest.files, "verified": True},
        f"[good]whole and signed[/] {checked.digest} ({len(checked.manifest.files)} files)",
    )


@app.command("sign")
def sign(context: typer.Context, package: Package) -> None:
    """Sign a package with this installation's key, after its files were checked."""
    from shield.packages import ModelPackage, load_private_key
    from shield.packages import sign as sign_package

    session = session_of(context)
    home = session.home()
    home.make_keys()
    opened = ModelPackage.open(package)
    for name in opened.manifest.files:
        opened.read(name)
    signed = sign_package(package, load_private_key(home.signing_key))
    session.terminal.answer({"digest": signed.digest}, f"Signed {signed.digest}.")


@app.command("train")
def train(
    context: typer.Context,
    model_type: Type,
    seed: Annotated[int, typer.Option(help="Random seed.")] = 0,
    quick: Annotated[
        bool, typer.Option("--quick", help="Train a poor model in a minute, to try the procedure.")
    ] = False,
) -> None:
    """Train and release the first model of a type from its base corpus. The result is cached.

    Phishing needs its mails first: `shieldctl corpus fetch`.
    """
    session = session_of(context)
    home = session.home()
    surroundings = services.environment(home, home.url(), {})

    options = ["--hold-back", "0", *(["--quick"] if quick else [])]
    with interruptible():
        result = follow(
            session.terminal,
            lambda tell: retraining.base(home, model_type, seed, surroundings, tell, *options),
        )
    with session.client() as client:
        now = client.rollout(model_type).status
    said = became(now, model_type, str(result["version"]), str(result["rollout"]))
    session.terminal.answer(result, said)


def became(now: ModelRolloutStatus, model_type: ModelType, version: str, asked: str) -> str:
    """Return what became of a version whose release a training has asked for.

    Args:
        now: Who serves, and who is on trial.
        model_type: Of the version.
        version: Its name.
        asked: What the registry answered: `requested`, `busy`, `rejected` or `superseded`.
    """
    if asked == "busy":
        trial = now.candidate.name if now.candidate else "another version"
        return (
            f"{version} is registered and not released: {trial} is on trial. Once that has ended "
            f"(shieldctl rollout status {model_type}): shieldctl rollout start {model_type} "
            f"{version}"
        )
    if asked != "requested":
        serves = f"{now.stable.name} serves" if now.stable else "none serves"
        return f"{version} is registered and not released: it has met users before; {serves}."
    if now.stable is not None and now.stable.name != version:
        return (
            f"{version} is registered and on its way beside {now.stable.name}: "
            f"shieldctl rollout status {model_type}"
        )
    return f"Released {version}."


@app.command("reinstate")
def reinstate(
    context: typer.Context,
    model_type: Type,
    name: Annotated[
        str,
        typer.Argument(help="A version that may not be proposed, or how it begins."),
        NamedKind.VERSION,
    ],
    reason: Annotated[str, typer.Option(help="Why; goes into the audit log and the ledger.")],
) -> None:
    """Allow a refused, rejected or tainted version to be proposed again, once.

    What a gate refused is signed for a release now, which takes the signing key.
    """
    from shield.packages.transfer import release

    session = session_of(context)
    with session.client() as client:
        version = _version(client, model_type, name)
        if version.refusal is not None:
            store, key = _signing(session)
            release(store, version.uri, version.digest, _trust(session), key)
        reinstated = client.reinstate(model_type, version.name, reason)
    session.terminal.answer(
        reinstated,
        f"{version.name} may be proposed again: shieldctl rollout start {model_type} "
        f"{version.name}",
    )


@app.command("push")
def push(
    context: typer.Context,
    package: Package,
    parent: Annotated[
        str | None,
        typer.Option(help="The version it was trained from, or how it begins."),
        NamedKind.VERSION,
    ] = None,
) -> None:
    """Upload a signed package and register it as a new version."""
    from shield.artifacts.opening import open_store
    from shield.packages import ModelPackage
    from shield.packages import push as push_package
    from shield.wire import VersionRequest

    session = session_of(context)
    checked = ModelPackage.open(package).verify(_trust(session))
    model_type = checked.manifest.model_type
    with session.client() as client:
        if parent is not None:  # a wrong one is told before anything is sent
            parent = whole(client, NamedKind.VERSION, parent, model_type=model_type)
        session.terminal.say(f"Uploading {len(checked.manifest.files)} files ...")
        pushed = push_package(open_store(session.home().artifacts), package)
        version = client.register_version(
            model_type,
            VersionRequest(
                digest=pushed.digest,
                uri=pushed.uri,
                parent=parent,
                metrics=dict(checked.manifest.metrics),
            ),
        )
    session.terminal.answer(version, version.name)


@app.command("keygen")
def keygen(context: typer.Context) -> None:
    """Create the keys of this installation that are missing."""
    session = session_of(context)
    home = session.home()
    home.make_keys()
    session.terminal.answer(
        {"signingKey": str(home.signing_key), "trustedKeys": str(home.trusted_keys)},
        f"Keys are in {home.keys}; keep them out of backups that others can read.",
    )


@app.command("taint")
def taint(
    context: typer.Context,
    model_type: Type,
    name: Annotated[
        str,
        typer.Argument(help="What was trained on poisoned messages, or how it begins."),
        NamedKind.VERSION,
    ],
    reason: Annotated[str, typer.Option(help="Why; goes into the audit log.")],
) -> None:
    """Taint a version and its descendants: none can be proposed again."""
    session = session_of(context)
    with session.client() as client:
        name = whole(client, NamedKind.VERSION, name, model_type=model_type)
        version = client.taint(model_type, name, reason)
    session.terminal.answer(version, f"{version.name} is tainted: {version.taint_reason}")


def _version(client: ShieldClient, model_type: ModelType, name: str) -> VersionRead:
    return client.version(model_type, whole(client, NamedKind.VERSION, name, model_type=model_type))


def _signing(session: Session) -> tuple[ArtifactStore, Ed25519PrivateKey]:
    """Return the artifact store and the signing key: the environment's, or the data directory's."""
    from shield.artifacts.opening import open_store
    from shield.packages import PackageSettings, load_private_key

    named = PackageSettings().signing_key
    if session.api_url is not None:
        return open_store(), load_private_key(PackageSettings().require_signing_key())
    home = session.home()
    return open_store(home.artifacts), load_private_key(named or home.signing_key)


def _trust(session: Session) -> Trust:
    from shield.packages import PackageSettings

    named = PackageSettings().trusted_keys
    if named is not None:
        return Trust.from_directory(named)
    home = session.home()
    home.make_keys()
    return Trust.from_directory(home.trusted_keys)
