"""The operator on a laptop: `python -m serving.operator.local`.

Rollouts are in a database table, model servers are child processes. One thread reconciles, because
the children are tied to it; another follows the table, so that an undo is detected within
milliseconds.
"""

import json
import logging
import os
import queue
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from types import FrameType

from serving.operator.driver import Driver
from serving.operator.log import log_to_stderr
from serving.operator.processes import ProcessCluster
from serving.operator.settings import ApiAccess, DatabaseSettings, OperatorSettings
from serving.operator.witness import ApiWitness, api_client
from shield.crds.v1alpha1 import ModelRollout
from shield.errors import Invalid, NotFound, ShieldError
from shield.rollouts import RolloutStore
from shield.rollouts.evidence import subjects
from shield.rollouts.table import TableRolloutStore, rollout_engine
from shield.stop import Stop

_log = logging.getLogger(__name__)
_WATCH_SECONDS = 30.0
"""Time without a change after which the follower reads all rollouts again."""
_PAUSE_SECONDS = 1.0
_SLOW = 8
"""Factor by which checks and reconciles are less frequent without a trial."""


class Loop:
    """Reconciles all rollouts of a store: at once on changes, and periodically.

    Args:
        store: The store, followed in a separate thread.
        cluster: The cluster, driven by the thread that calls `run`.
        driver: Decides and writes.
        poll_seconds: Longest time between two checks of servers that start or end.
        tick_seconds: Longest time between two reconciles of a rollout with a trial.
    """

    def __init__(
        self,
        store: RolloutStore,
        cluster: ProcessCluster,
        driver: Driver,
        *,
        poll_seconds: float,
        tick_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._cluster = cluster
        self._driver = driver
        self._poll_seconds = poll_seconds
        self._tick_seconds = tick_seconds
        self._clock = clock
        self._changes: queue.SimpleQueue[ModelRollout | str] = queue.SimpleQueue()
        self._rollouts: dict[str, ModelRollout] = {}
        self._resting: set[str] = set()
        """Rollouts without a trial in which the latest reconcile changed nothing."""

    def wake(self, name: str) -> None:
        """Ask for a reconcile of the rollout `name`, from any thread."""
        self._changes.put(name)

    def run(self, stop: Stop) -> None:
        """Reconcile until `stop` is set."""
        follower = threading.Thread(target=self._follow, args=(stop,), name="store", daemon=True)
        follower.start()
        tick_at = all_at = self._clock()
        while not stop.is_set():
            due = self._changed()
            due |= self._cluster.tick()
            if self._clock() >= tick_at:
                tick_at = self._clock() + self._tick_seconds
                due |= self._rollouts.keys() - self._resting
            if self._clock() >= all_at:
                all_at = self._clock() + _SLOW * self._tick_seconds
                due |= self._rollouts.keys()
            for name in sorted(due & self._rollouts.keys()):
                self._reconcile(name)

    def _changed(self) -> set[str]:
        """Wait briefly for changes; return the names of changed rollouts."""
        due: set[str] = set()
        try:
            rarely = _SLOW if self._cluster.steady else 1
            change = self._changes.get(timeout=rarely * self._poll_seconds)
            while True:
                if isinstance(change, ModelRollout):
                    self._rollouts[change.name] = change
                    due.add(change.name)
                else:
                    due.add(change)
                change = self._changes.get_nowait()
        except queue.Empty:
            return due

    def _reconcile(self, name: str) -> None:
        rollout = self._rollouts[name]
        try:
            self._rollouts[name] = self._driver.reconcile(rollout)
        except ShieldError as error:  # the next tick tries again
            _log.warning("not reconciled", extra={"fields": _about(name, error)})
            return
        except Exception:  # noqa: BLE001 - one rollout's bug must not take every server away
            _log.exception("not reconciled", extra={"fields": {"rollout": name}})
            return
        now = self._rollouts[name]
        self._resting.discard(name)
        if now.status == rollout.status and subjects(now.status) is None:
            self._resting.add(name)
        if rollout.deleting:
            del self._rollouts[name]

    def _follow(self, stop: Stop) -> None:
        known: dict[str, ModelRollout] = {}
        while not stop.is_set():
            try:
                changed = set()
                for rollout in self._store.watch(_WATCH_SECONDS, stop):
                    self._changes.put(rollout)
                    if rollout.deleting:
                        known.pop(rollout.name, None)
                    else:
                        changed.add(rollout.name)
                        known[rollout.name] = rollout
                    if stop.is_set():
                        return
                # A watch begins with everything that can be read: what it did not name is gone, or
                # can no longer be read, and then its servers stay.
                for name in known.keys() - changed:
                    if self._is_gone(name):
                        self._changes.put(known.pop(name).model_copy(update={"deleting": True}))
            except ShieldError as error:
                _log.warning("the store is away", extra={"fields": _about("*", error)})
                stop.wait(_PAUSE_SECONDS)
            except Exception:  # noqa: BLE001 - without this thread nothing is ever decided again
                _log.exception("the store cannot be followed")
                stop.wait(_PAUSE_SECONDS)

    def _is_gone(self, name: str) -> bool:
        try:
            self._store.get(name)
        except NotFound:
            return True
        except Invalid:
            pass
        return False


def _about(name: str, error: ShieldError) -> dict[str, str]:
    return {"rollout": name, "error": error.message}


def main() -> int:
    """Run until SIGTERM or Ctrl-C; the model servers end with it."""
    log_to_stderr()
    try:
        settings, access, database = OperatorSettings(), ApiAccess(), DatabaseSettings()
    except ShieldError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    stop = Stop()

    def end(_signal: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    store = TableRolloutStore(rollout_engine(database.url), settings.poll_seconds)
    cluster = ProcessCluster(settings.log_dir, drain_seconds=settings.drain_seconds)
    witness = ApiWitness(
        lambda: api_client(access),
        evidence_seconds=settings.evidence_seconds,
        arrived=lambda name: loop.wake(name),
    )
    driver = Driver(store, cluster, witness, lambda: datetime.now(UTC))
    loop = Loop(
        store,
        cluster,
        driver,
        poll_seconds=settings.poll_seconds,
        tick_seconds=settings.tick_seconds,
    )
    try:
        store.list()
        access.read_token()
    except ShieldError as error:
        sys.stderr.write(f"{error.message}\n")
        return 1
    witness.start()
    if settings.ready_file is not None:
        part = settings.ready_file.with_suffix(".part")
        part.write_text(json.dumps({"pid": os.getpid()}))
        part.replace(settings.ready_file)
    _log.info("started", extra={"fields": {"api": access.url, "logs": str(settings.log_dir)}})
    try:
        loop.run(stop)
    finally:
        witness.stop()
        cluster.close()
    _log.info("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
