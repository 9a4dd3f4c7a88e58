"""Rollouts in a database table: the embedded `RolloutStore`, on SQLite and on PostgreSQL.

A row's `resource_version` counts its writes, and every write names the one it has read, so two
writers never overwrite each other. To watch is to look at three short columns whenever something
was written to the database. SQLite tells of that (`shield.database_changes`); on PostgreSQL the
columns are looked at fifty times a second.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from pydantic import ValidationError
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Engine,
    Integer,
    MetaData,
    Row,
    String,
    Table,
    Text,
    create_engine,
    delete,
    event,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError, OperationalError, SQLAlchemyError

from shield.crds.v1alpha1 import ModelRollout, ModelRolloutSpec, ModelRolloutStatus
from shield.database_changes import Changes
from shield.database_errors import is_conflict
from shield.errors import Conflict, NotFound, Unavailable
from shield.rollouts import SpecChange
from shield.rollouts.reading import Reader, unreadable
from shield.rollouts.rules import checked_change
from shield.stop import Stop

METADATA = MetaData()

ROLLOUTS = Table(
    "rollouts",
    METADATA,
    Column("name", String(63), primary_key=True),
    Column("uid", String(64), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("resource_version", BigInteger, nullable=False),
    Column("spec", Text, nullable=False),
    Column("status", Text, nullable=False),
)

_Rollouts = list[ModelRollout]  # inside the class, `list` is its method
_ATTEMPTS = 50  # each lost race means that somebody else has won one


def rollout_engine(url: str) -> Engine:
    """Return an engine for a process that reads and writes rollouts only.

    On SQLite it waits for other writers instead of failing, and reads beside them (WAL).
    """
    engine = create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if engine.dialect.name == "sqlite":

        @event.listens_for(engine, "connect")
        def _prepare(connection: Any, _record: Any) -> None:
            cursor = connection.cursor()
            cursor.execute("PRAGMA busy_timeout=10000")
            cursor.execute("PRAGMA journal_mode=WAL")
            cursor.execute("PRAGMA synchronous=NORMAL")
            cursor.close()

    return engine


class TableRolloutStore:
    """`RolloutStore` in the table `rollouts`, which the database migrations create.

    Args:
        engine: Of the database that holds the table.
        poll_seconds: `watch` looks no more often than this.
        sleep: Waits between two looks.
        monotonic: A clock that never goes back, in seconds.
    """

    def __init__(
        self,
        engine: Engine,
        poll_seconds: float = 0.02,
        *,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._poll_seconds = poll_seconds
        self._sleep = sleep
        self._monotonic = monotonic
        self._reader = Reader()

    def get(self, name: str) -> ModelRollout:
        """Return one rollout."""
        with self._begin() as connection:
            rollout = self._find(connection, name)
        if rollout is None:
            raise NotFound.of("rollout", name, "`shieldctl rollout list` shows those that exist.")
        return rollout

    def list(self) -> list[ModelRollout]:
        """Return all rollouts that can be read, by name."""
        with self._begin() as connection:
            rows = connection.execute(select(ROLLOUTS).order_by(ROLLOUTS.c.name)).all()
        return self._reader.read(rows, _rollout)

    def change_spec(self, name: str, change: SpecChange) -> ModelRollout:
        """Create or change a spec by optimistic retry; an unchanged spec writes nothing."""
        for _ in range(_ATTEMPTS):
            try:
                with self._begin() as connection:
                    changed = self._try_change(connection, name, change)
            except IntegrityError as error:
                if not is_conflict(error):
                    raise
                continue  # another process created it meanwhile: change that one
            if changed is not None:
                return changed
        raise Unavailable(
            f"The rollout {name!r} is changed by too many writers at once. Try again in a moment.",
            retry_after_seconds=1,
        )

    def _try_change(
        self, connection: Connection, name: str, change: SpecChange
    ) -> ModelRollout | None:
        """Return the changed rollout, or None when somebody else has written in between."""
        current = self._find(connection, name)
        spec = change(current.spec.model_copy(deep=True) if current else None)
        checked_change(current, name, spec)
        if current is None:
            created = ModelRollout(name=name, uid=str(uuid4()), resource_version="1", spec=spec)
            connection.execute(insert(ROLLOUTS).values(**_columns(created), resource_version=1))
            return created
        if spec == current.spec:
            return current
        version = int(current.resource_version) + 1
        changed = current.model_copy(
            update={
                "spec": spec,
                "generation": current.generation + 1,
                "resource_version": str(version),
            }
        )
        written = connection.execute(
            update(ROLLOUTS)
            .where(_is_still(current))
            .values(
                spec=_json(spec), generation=ROLLOUTS.c.generation + 1, resource_version=version
            )
        )
        return changed if written.rowcount == 1 else None

    def write_status(self, rollout: ModelRollout, status: ModelRolloutStatus) -> ModelRollout:
        """Replace the status; an unchanged one writes nothing."""
        version = int(rollout.resource_version) + 1
        with self._begin() as connection:
            if status == rollout.status:
                still = connection.execute(
                    select(ROLLOUTS.c.name).where(_is_still(rollout))
                ).first()
                if still is not None:
                    return rollout
            else:
                written = connection.execute(
                    update(ROLLOUTS)
                    .where(_is_still(rollout))
                    .values(status=_json(status), resource_version=version)
                )
                if written.rowcount == 1:
                    return rollout.model_copy(
                        update={"status": status, "resource_version": str(version)}
                    )
        raise Conflict(
            f"The rollout {rollout.name!r} has changed since it was read "
            f"(resource version {rollout.resource_version}). Read it again."
        )

    def delete(self, name: str) -> None:
        """Remove a rollout; a missing one is no error."""
        with self._begin() as connection:
            connection.execute(delete(ROLLOUTS).where(ROLLOUTS.c.name == name))

    def watch(self, timeout_seconds: float, stop: Stop | None = None) -> Iterator[ModelRollout]:
        """Yield every rollout once, then each as it changes."""
        stop = stop or Stop()
        known: dict[str, ModelRollout] = {}
        written = Changes(self._engine.url, self._sleep, stop)
        try:
            quiet_since = self._monotonic()
            written.wait(0)
            while not stop.is_set():
                changed = self._changes(known)
                yield from changed
                if changed:
                    quiet_since = self._monotonic()
                self._sleep(self._poll_seconds)
                while not stop.is_set():
                    left = quiet_since + timeout_seconds - self._monotonic()
                    if left <= 0:
                        return
                    if written.wait(left):
                        break
        finally:
            written.close()

    def _changes(self, known: dict[str, ModelRollout]) -> _Rollouts:
        """Return what differs from `known`, and bring `known` up to date."""
        look = select(ROLLOUTS.c.name, ROLLOUTS.c.uid, ROLLOUTS.c.resource_version)
        with self._begin() as connection:
            now = {
                row.name: (row.uid, str(row.resource_version)) for row in connection.execute(look)
            }
            stale = [
                name
                for name, version in now.items()
                if name not in known or (known[name].uid, known[name].resource_version) != version
            ]
            rows = connection.execute(
                select(ROLLOUTS).where(ROLLOUTS.c.name.in_(stale)).order_by(ROLLOUTS.c.name)
            ).all()
        changed = self._reader.read(rows, _rollout)
        for name in sorted(known.keys() - now.keys()):
            changed.append(known.pop(name).model_copy(update={"deleting": True}))
        for rollout in changed:
            if not rollout.deleting:
                known[rollout.name] = rollout
        return changed

    def _find(self, connection: Connection, name: str) -> ModelRollout | None:
        row = connection.execute(select(ROLLOUTS).where(ROLLOUTS.c.name == name)).first()
        return None if row is None else _rollout(row)

    @contextmanager
    def _begin(self) -> Iterator[Connection]:
        with self._available(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def _available(self) -> Iterator[None]:
        try:
            yield
        except IntegrityError:
            raise
        except OperationalError as error:
            raise Unavailable(
                f"The database of the rollouts does not answer ({error.orig}). Check that "
                "`SHIELD_DATABASE_URL` is right and that the migrations have run."
            ) from error
        except SQLAlchemyError as error:
            raise Unavailable(f"The table of the rollouts cannot be used: {error}.") from error


def _is_still(rollout: ModelRollout) -> Any:
    return (
        (ROLLOUTS.c.name == rollout.name)
        & (ROLLOUTS.c.uid == rollout.uid)
        & (ROLLOUTS.c.resource_version == int(rollout.resource_version))
    )


def _json(part: ModelRolloutSpec | ModelRolloutStatus) -> str:
    return part.model_dump_json(by_alias=True)


def _columns(rollout: ModelRollout) -> dict[str, Any]:
    return {
        "name": rollout.name,
        "uid": rollout.uid,
        "generation": rollout.generation,
        "spec": _json(rollout.spec),
        "status": _json(rollout.status),
    }


def _rollout(row: Row[Any]) -> ModelRollout:
    """Return the rollout that a row holds. Raises `Invalid`."""
    try:
        return ModelRollout(
            name=row.name,
            uid=row.uid,
            generation=row.generation,
            resource_version=str(row.resource_version),
            spec=ModelRolloutSpec.model_validate_json(row.spec),
            status=ModelRolloutStatus.model_validate_json(row.status),
        )
    except ValidationError as error:
        raise unreadable(row.name, error) from error
