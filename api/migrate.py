"""Migrate the database to the current schema: `python -m api.migrate`.

    python -m api.migrate --wait-seconds 60

Waits for a database that does not answer yet (it is starting, or its name does not resolve).
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError

from api.kit.database import open_engine
from api.settings import ApiSettings
from shield.errors import Misconfigured, ShieldError, Unavailable


def config_of(connection: Connection | None = None) -> Config:
    """Return the configuration of Alembic, for steps that run on `connection`."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config


def head() -> str:
    """Return the schema revision that this code needs."""
    revision = ScriptDirectory.from_config(config_of()).get_current_head()
    assert revision is not None
    return revision


def migrate(engine: Engine) -> str:
    """Run the missing migrations and return the revision.

    Several processes may call it at once: the first does the work, the others wait.

    All run in one transaction, so that a failed upgrade leaves the schema as it was. An index on a
    large table would rather be built by `CREATE INDEX CONCURRENTLY`, in Alembic's
    `autocommit_block`. It fails in this transaction, and with one for each migration it deadlocks
    with processes that wait here: it waits for their snapshots, and they for its lock. It needs a
    lock of the session that is tried again and again, and an upgrade that goes on after a failure
    (`if_not_exists`, invalid indexes dropped first). `scans` is partitioned: its indexes are built
    per partition and attached. On SQLite nothing of this applies.

    Raises:
        Misconfigured: The database was made by a newer version of the product.
        Unavailable: The database does not answer.
    """
    try:
        with engine.begin() as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('migrate'))"))
            _refuse_newer(connection, engine)
            command.upgrade(config_of(connection), "head")
    except OperationalError as fault:
        raise Unavailable(
            f"The database {engine.url.render_as_string()} cannot be opened ({fault.orig}). "
            "Check SHIELD_DATABASE_URL, and that the folder exists and has room."
        ) from fault
    return head()


def upgrade(database_url: str) -> str:
    """Migrate the database of a URL; returns and raises as `migrate`."""
    engine = open_engine(database_url)
    try:
        return migrate(engine)
    finally:
        engine.dispose()


def migrate_when_there(
    engine: Engine,
    wait_seconds: float,
    *,
    sleep: Callable[[float], None] = time.sleep,
    monotonic: Callable[[], float] = time.monotonic,
) -> str:
    """Migrate as soon as the database answers; retry once a second.

    Raises:
        Misconfigured: The database was made by a newer version of the product.
        Unavailable: It did not answer within `wait_seconds`.
    """
    until = monotonic() + wait_seconds
    while True:
        try:
            return migrate(engine)
        except Unavailable:
            if monotonic() >= until:
                raise
            sleep(1.0)


def check(engine: Engine) -> None:
    """Check that the database has the schema that this code needs.

    Raises:
        Misconfigured: The schema is older or newer.
        Unavailable: The database does not answer.
    """
    try:
        with engine.begin() as connection:
            _refuse_newer(connection, engine)
            present = MigrationContext.configure(connection).get_current_revision()
    except OperationalError as fault:
        raise Unavailable(f"The database does not answer ({fault.orig}).") from fault
    if present != head():
        raise Misconfigured(
            f"The database has schema {present or 'none'}, but {head()} is needed. "
            "Run `python -m api.migrate` (or `shieldctl db migrate`)."
        )


def _refuse_newer(connection: Connection, engine: Engine) -> None:
    present = MigrationContext.configure(connection).get_current_revision()
    known = {step.revision for step in ScriptDirectory.from_config(config_of()).walk_revisions()}
    if present is not None and present not in known:
        raise Misconfigured(
            f"The database {engine.url.render_as_string()} has schema {present!r}, which this "
            "version does not know: a newer version made it. Upgrade antispam-shield, or restore a "
            "backup from before the upgrade."
        )


def main() -> int:
    """Migrate the database that `SHIELD_DATABASE_URL` names."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    options.add_argument(
        "--wait-seconds", type=float, default=60.0, help="Wait so long for the database (60)."
    )
    wait_seconds: float = options.parse_args().wait_seconds
    try:
        settings = ApiSettings()
        engine = open_engine(settings.database_direct_url or settings.database_url)
        # A file that is not there will not come by waiting.
        patience = 0.0 if engine.dialect.name == "sqlite" else wait_seconds
        revision = migrate_when_there(engine, patience)
    except ShieldError as error:
        sys.stderr.write(f"error: {error.message}\n")
        return 1
    sys.stderr.write(f"The database has schema {revision}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
