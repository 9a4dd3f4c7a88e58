"""Fetch evidence from the API and send transitions to its ledger, in background threads.

While the API is unavailable, the last evidence is kept (counts only grow) and the ledger is updated
later: transitions are stored in the status, so that a restart loses none.
"""

import logging
import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol

from serving.operator.settings import ApiAccess
from shield.client import ShieldClient
from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRollout, Transition
from shield.errors import RateLimited, ShieldError, Unauthenticated, Unavailable
from shield.labels import ModelType
from shield.rollouts.evidence import subjects

_log = logging.getLogger(__name__)
_PAUSE_SECONDS = 1.0
API_TIMEOUT_SECONDS = 5.0
"""One call of the API that takes longer has failed: when packets were dropped for a while, it is
asked again this soon after they pass."""


def pause_after(took_seconds: float, *, failed: bool, evidence_seconds: float) -> float:
    """Return the seconds until evidence is asked for again. Pure.

    Where counting takes long, it is asked for less often. How long a call took that failed says
    nothing of counting: an API that was out of reach for a minute would be left alone for three.
    """
    if failed:
        return max(evidence_seconds, _PAUSE_SECONDS)
    return max(evidence_seconds, 3 * took_seconds)


def api_client(access: ApiAccess) -> ShieldClient:
    """Return a client for `ApiWitness`, with the current token.

    It repeats nothing, since the witness asks again itself: a call that succeeded after repeats
    through a partition would count as slow, and the API would be left alone for three times as
    long as the partition lasted.
    """
    token = access.read_token()
    return ShieldClient(access.url, token, timeout_seconds=API_TIMEOUT_SECONDS, repeats=False)


class Api(Protocol):
    """The two API calls of the operator, as in `shield.client.ShieldClient`."""

    def evidence(self, model_type: ModelType) -> Evidence:
        """Return the evidence about both versions of the current trial."""

    def record_transition(
        self, model_type: ModelType, rollout_uid: str, transition: Transition
    ) -> object:
        """Record a transition in the ledger. Idempotent."""


class ApiWitness:
    """Implements `Witness` over HTTP.

    Args:
        connect: Opens a client with the current token; called again when the token is refused.
        evidence_seconds: Interval of requests for evidence during a trial; longer if counting takes
            long, which uses at most a quarter of the time.
        arrived: Called from another thread with the name of a rollout whose evidence has changed.
    """

    def __init__(
        self,
        connect: Callable[[], Api],
        *,
        evidence_seconds: float,
        arrived: Callable[[str], None],
    ) -> None:
        self._connect = connect
        self._evidence_seconds = evidence_seconds
        self._arrived = arrived
        self._evidence: dict[str, Evidence] = {}
        self._on_trial: dict[str, ModelRollout] = {}
        self._taken: dict[str, int] = {}
        self._to_record: queue.SimpleQueue[tuple[ModelType, str, Transition]] = queue.SimpleQueue()
        self._stopped = threading.Event()
        self._threads = [
            threading.Thread(target=work, name=name, daemon=True)
            for work, name in ((self._fetch, "evidence"), (self._write, "ledger"))
        ]

    def start(self) -> "ApiWitness":
        """Start the threads."""
        for thread in self._threads:
            thread.start()
        return self

    def stop(self) -> None:
        """Stop the threads. Transitions not sent yet are sent after the next start."""
        self._stopped.set()

    def evidence(self, rollout: ModelRollout) -> Evidence | None:
        """Return the latest evidence received, and request it regularly during a trial."""
        if rollout.deleting or subjects(rollout.status) is None:
            self._on_trial.pop(rollout.name, None)
            return None
        self._on_trial[rollout.name] = rollout
        return self._evidence.get(rollout.name)

    def record(self, rollout: ModelRollout, transitions: list[Transition]) -> None:
        """Queue the transitions that were not queued before."""
        taken = self._taken.get(rollout.uid, 0)
        for transition in transitions:
            if transition.sequence > taken:
                self._to_record.put((rollout.spec.model_type, rollout.uid, transition))
                self._taken[rollout.uid] = transition.sequence

    def _fetch(self) -> None:
        api: Api | None = None
        quiet = False
        pause = self._evidence_seconds
        while not self._stopped.wait(pause):
            began, failed = time.monotonic(), False
            for name, rollout in list(self._on_trial.items()):
                try:
                    api = api or self._connect()
                    evidence = api.evidence(rollout.spec.model_type)
                except ShieldError as error:
                    if isinstance(error, Unauthenticated):
                        api = None
                    if not quiet:
                        _complain("no evidence", name, error)
                    quiet = failed = True
                    continue
                except Exception:  # noqa: BLE001 - an answer that is none of ours: this thread must go on
                    if not quiet:
                        _log.exception("no evidence", extra={"fields": {"rollout": name}})
                    quiet = failed = True
                    continue
                quiet = False
                if self._evidence.get(name) != evidence:
                    self._evidence[name] = evidence
                    self._arrived(name)
            pause = pause_after(
                time.monotonic() - began, failed=failed, evidence_seconds=self._evidence_seconds
            )

    def _write(self) -> None:
        api: Api | None = None
        while not self._stopped.is_set():
            try:
                model_type, uid, transition = self._to_record.get(timeout=_PAUSE_SECONDS)
            except queue.Empty:
                continue
            while not self._stopped.is_set():
                try:
                    api = api or self._connect()
                    api.record_transition(model_type, uid, transition)
                    break
                except (Unavailable, RateLimited, Unauthenticated) as error:
                    api = None
                    _complain("the ledger waits", model_type, error)
                    time.sleep(_PAUSE_SECONDS)
                except ShieldError as error:  # it will never be taken: say so, and go on
                    _complain("the ledger refused a transition", model_type, error)
                    break
                except Exception:  # noqa: BLE001 - an answer that is none of ours: this thread must go on
                    _log.exception("the ledger waits", extra={"fields": {"rollout": model_type}})
                    time.sleep(_PAUSE_SECONDS)


def _complain(event: str, rollout: str, error: ShieldError) -> None:
    _log.warning(event, extra={"fields": {"rollout": rollout, "error": error.message}})
