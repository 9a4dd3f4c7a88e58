"""`shieldctl up`: the whole system as a service, until stopped."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from cli import retraining, services
from cli.first_models import FirstModels
from cli.home import Home
from cli.session import Session, mint, session_of, who
from cli.supervise import Supervisor, supervised
from cli.weekly import Calendar
from pipelines.schedule import Cron
from shield.client import ShieldClient
from shield.labels import ModelType

LOGIN_SECONDS = 12 * 3600.0
"""A working day; `shieldctl token create` makes another."""
_TICK_SECONDS = 0.2
_TOKEN_RENEWAL = timedelta(hours=12)


def up(
    context: typer.Context,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one.")] = 8642,
    schedule: Annotated[
        str, typer.Option(help="When to retrain: five cron fields, UTC.", envvar="SHIELD_SCHEDULE")
    ] = "0 3 * * 1",
    drift_schedule: Annotated[
        str,
        typer.Option(
            help="When to look for drift: five cron fields, UTC.", envvar="SHIELD_DRIFT_SCHEDULE"
        ),
    ] = "30 4 * * *",
    base: Annotated[
        bool, typer.Option(help="Train first models of the types that have none.")
    ] = True,
) -> None:
    """Run API, model servers, rollout loop and weekly schedule until stopped.

    On a new data directory a linear model of each type is trained at once, and answers within half
    a minute or so; transformers follow in the background.
    """
    session = session_of(context)
    cron, looks = Cron.parse(schedule), Cron.parse(drift_schedule)
    home = session.home()
    terminal = session.terminal
    with home.running():
        address = services.free_address(host, port)
        home.make_keys()
        services.renew_machine_tokens(home)
        surroundings = services.environment(home, address.url, {})
        with (
            FirstModels(home, address.url, surroundings, terminal.say) as first,
            supervised(home.logs, home.root, terminal.warn) as supervisor,
        ):
            terminal.say(f"Starting on {home.root} ...")
            new = not (home.root / "shield.db").exists()
            if base and new:
                first.begin(list(ModelType))  # trains while the services start
            supervisor.start(services.api_part(home, address, {}))
            supervisor.start(services.operator_part(home, address, {}))
            home.announce(address.url)
            if base and not new:
                first.look()
            _greet(session, home, address, cron)
            if first.busy:
                terminal.say("First models are being trained; each says when it serves.")
            _serve(session, home, address, supervisor, cron, looks, first)


def _serve(
    session: Session,
    home: Home,
    address: services.Address,
    supervisor: Supervisor,
    cron: Cron,
    looks: Cron,
    first: FirstModels,
) -> None:
    """Tend the parts and start what is due, until interrupted."""
    surroundings = services.environment(home, address.url, {})
    renewed = datetime.now(UTC)
    say = session.terminal.say

    def look(model_type: ModelType, run_id: str) -> retraining.Job:
        return retraining.drift(
            home, model_type, surroundings, lambda progress: None, "--run-id", run_id
        )

    with (
        Calendar(home, cron, surroundings, say) as calendar,
        Calendar(home, looks, surroundings, say, look, kind="drift") as watch,
    ):
        while True:
            supervisor.tend()
            now = datetime.now(UTC)
            first.tick()
            # Never two at once: a look may retrain as well.
            if not watch.busy and not first.busy:
                calendar.tick(now)
            if not calendar.busy and not first.busy:
                watch.tick(now)
            if now - renewed > _TOKEN_RENEWAL:
                services.renew_machine_tokens(home)
                renewed = now
            time.sleep(_TICK_SECONDS)


def _greet(session: Session, home: Home, address: services.Address, cron: Cron) -> None:
    """Print the URLs, and links that sign in, as a notebook server does."""
    token = mint(home, who(), ["admin", "reviewer", "user"], lifetime_seconds=LOGIN_SECONDS)
    due = cron.next_after(datetime.now(UTC))
    # Behind a `#`: that part of a link never reaches a server, a proxy or a log.
    places = {
        "app": f"{address.url}/app#token={token}",
        "review": f"{address.url}/login#token={token}",
        "api": f"{address.url}/docs",
    }
    picture = _phone(session, address, token)
    session.terminal.answer(
        {"url": address.url, "token": token, "dataDir": str(home.root), **places},
        "",
        f"  Phone app      {places['app']}",
        f"  Review room    {places['review']}",
        f"  API            {places['api']}",
        f"  Data           {home.root}",
        f"  Next training  {due:%A %d %B %Y %H:%M} UTC ({cron.text})",
        "",
        "  The links log you in for 12 hours; keep them to yourself. A phone: shieldctl token pair",
        "  Stop with Ctrl-C; nothing is lost.",
        *picture,
        "",
    )


def _phone(session: Session, address: services.Address, token: str) -> list[str]:
    """Return a picture that connects a phone, where one can reach us."""
    from cli.phones import pairing, reachable

    if session.terminal.machine or reachable(address.url) == address.url:
        return []
    with ShieldClient(address.url, token) as client:
        told, picture = pairing(client)
    return [
        "",
        picture,
        f"  Scan this with a phone within five minutes: it scans as {told['subject']}.",
    ]
