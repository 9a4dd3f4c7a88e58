"""The in-memory copy of the known campaigns in one process, and how it follows changes.

Every change has a number. On PostgreSQL a commit announces a change by NOTIFY, and each process
loads all changes with higher numbers than its own; it does the same after a reconnect. On SQLite
the processes poll for writes, at most four times a second. The answer of a match is read from the
database, so that an undone entry never answers, even in a process that has not loaded the change.
"""

import logging
import threading
from collections import defaultdict
from datetime import datetime

import psycopg
from sqlalchemy import URL, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session, sessionmaker

from api.kit import signature
from api.kit.database import Clock
from api.kit.keyring import KeyRing
from api.kit.known import Hearing
from api.known.index import KnownIndex
from api.tables import KnownCampaign
from shield.database_changes import Changes
from shield.similarity import Sketches
from shield.stop import Stop

logger = logging.getLogger("api.known")

CHANNEL = "shield_known"
ACTIVE = ("checking", "confirmed")
_LOOK_SECONDS = 0.25
"""Shortest time between two polls on SQLite."""
_SILENCE_SECONDS = 5.0
"""Time without a notification after which a process polls."""
_UNDER_WAY_SECONDS = 5.0
"""Longest time that `stop` waits for a running query."""
_CHUNK = 50_000


class Replica:
    """In-memory copy of the active known campaigns. Thread-safe."""

    def __init__(
        self, url: URL, sessions: sessionmaker[Session], ring: KeyRing, clock: Clock
    ) -> None:
        """Hold nothing yet.

        Args:
            url: Of the database itself: notifications do not pass a pooler.
            sessions: Read-only sessions.
            ring: The keys.
            clock: Tells the time.
        """
        self._url, self._sessions, self._ring, self._clock = url, sessions, ring, clock
        self._indexes: dict[str, KnownIndex] = defaultdict(KnownIndex)
        self._sequence = 0
        self._refreshing = threading.Lock()
        self._stopped = Stop()
        self._thread: threading.Thread | None = None
        self._deaf_since: datetime | None = None
        self._why = ""

    def start(self) -> None:
        """Load the known campaigns in the background and follow their changes."""
        self._deaf_since, self._why = self._clock(), "they are being loaded"
        follow = self._listen if self._url.get_backend_name() == "postgresql" else self._look
        self._thread = threading.Thread(target=follow, name="known", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop following."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=_UNDER_WAY_SECONDS)

    def candidates(self, model_type: str, sketch: Sketches) -> list[str]:
        """Return ids of known campaigns similar to a message, most similar first."""
        index = self._indexes.get(model_type)
        return index.candidates(sketch) if index is not None else []

    def hearing(self) -> Hearing:
        """Return whether changes are received."""
        entries = sum(len(index) for index in list(self._indexes.values()))
        return Hearing(self._sequence, entries, self._deaf_since, self._why)

    def refresh(self) -> None:
        """Load the changes since the last one received."""
        with self._refreshing, self._sessions() as session:
            newest = session.scalar(select(func.max(KnownCampaign.sequence))) or 0
            while self._sequence < newest:
                self._take(session)

    def _take(self, session: Session) -> None:
        mark = signature.mark(self._ring)
        rows = session.execute(
            select(
                KnownCampaign.id,
                KnownCampaign.sequence,
                KnownCampaign.model_type,
                KnownCampaign.standing,
                KnownCampaign.sketch,
                KnownCampaign.signed,
            )
            .where(KnownCampaign.sequence > self._sequence)
            .order_by(KnownCampaign.sequence)
            .limit(_CHUNK)
        ).all()
        active = [
            row for row in rows if row.standing in ACTIVE and row.sketch and row.signed == mark
        ]
        told = {row.id for row in active}
        for model_type in {row.model_type for row in rows}:
            own = [row for row in active if row.model_type == model_type]
            gone = [row.id for row in rows if row.model_type == model_type and row.id not in told]
            sketches, _ = signature.unpacked([row.sketch for row in own])
            numbers = [row.sequence for row in own]
            self._indexes[model_type].change([row.id for row in own], numbers, sketches, gone)
        self._sequence = rows[-1].sequence

    def _look(self) -> None:
        written = Changes(self._url, stop=self._stopped)
        written.wait(0)
        try:
            while not self._stopped.is_set():
                try:
                    self.refresh()
                    self._deaf_since, self._why = None, ""
                except SQLAlchemyError as fault:
                    self._deaf(fault)
                except Exception as fault:  # without this thread nothing would be heard any more
                    logger.exception("known campaigns cannot be taken in")
                    self._deaf(fault)
                if self._stopped.wait(_LOOK_SECONDS):
                    return
                written.wait(_SILENCE_SECONDS)
        finally:
            written.close()

    def _listen(self) -> None:
        url = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        while not self._stopped.is_set():
            try:
                with psycopg.connect(url, autocommit=True, connect_timeout=10) as connection:
                    connection.execute(f"LISTEN {CHANNEL}")
                    while not self._stopped.is_set():
                        self.refresh()  # first what was said before anybody listened
                        self._deaf_since, self._why = None, ""
                        if self._stopped.wait_for(connection, _SILENCE_SECONDS):
                            list(connection.notifies(timeout=0))
            except (psycopg.Error, SQLAlchemyError) as fault:
                self._deaf(fault)
                self._stopped.wait(1.0)
            except Exception as fault:  # without this thread nothing would be heard any more
                logger.exception("known campaigns cannot be taken in")
                self._deaf(fault)
                self._stopped.wait(1.0)

    def _deaf(self, fault: Exception) -> None:
        if self._deaf_since is None:
            self._deaf_since = self._clock()
            logger.warning("changes of known campaigns are not received: %s", type(fault).__name__)
        away = isinstance(fault, psycopg.Error | SQLAlchemyError)
        why = "the database does not answer" if away else "a change cannot be taken in"
        self._why = f"{why} ({type(fault).__name__})"
