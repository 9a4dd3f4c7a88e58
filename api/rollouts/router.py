"""Route messages to model servers: follow the splits in the background, and call the user's arm.

The last known split is used while the rollout store is unavailable, so that an outage of the
control plane does not stop scans.
"""

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from api.kit.routing import Failure, Prediction, Routed, Trial
from api.rollouts.wire import ModelClient
from shield.crds.v1alpha1 import ModelRollout, Split, VersionRef
from shield.errors import Overloaded, ShieldError, Unavailable, from_problem
from shield.labels import LABELS, MODEL_TYPES, Certainty, ModelType, is_positive
from shield.rollouts import RolloutStore
from shield.rollouts.evidence import subjects
from shield.rollouts.rules import split_in_force
from shield.routing import Arm, arm_for
from shield.stop import Stop

logger = logging.getLogger("api.rollouts")

_SETTLE_SECONDS = 0.05
_LONGEST_PAUSE_SECONDS = 5.0
_OK = 200
_NO_REQUEST = httpx.Request("POST", "http://model-server/predict")
_COPIES_AT_ONCE = 2
_COPIES_WAITING = 200
_FAULTS = (httpx.HTTPError, ValueError, KeyError, TypeError, IndexError, AttributeError, Overloaded)
"""Errors of a model server: no answer, or an invalid one."""


class ModelRouter:
    """Implements `Router` with splits from a rollout store and model servers over HTTP."""

    def __init__(
        self,
        rollouts: RolloutStore,
        *,
        timeout_seconds: float,
        watch_seconds: float = 0.5,
        monotonic: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._rollouts = rollouts
        self._watch_seconds = watch_seconds
        self._splits: dict[ModelType, Split] = {}
        self._trials: dict[ModelType, Trial | None] = {}
        self._taken: dict[ModelType, tuple[str, int]] = {}
        self._taking = threading.Lock()
        self._monotonic = monotonic
        self._stopped = Stop()
        self._loaded = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="splits", daemon=True)
        self._copies = ThreadPoolExecutor(_COPIES_AT_ONCE, thread_name_prefix="shadow")
        self._room = threading.BoundedSemaphore(_COPIES_WAITING)
        connect_seconds = min(1.0, timeout_seconds)
        self._client = ModelClient(timeout_seconds, connect_seconds)
        # The model servers are ours and near: no proxy from the environment may come between.
        self._http = httpx.Client(
            timeout=httpx.Timeout(timeout_seconds, connect=connect_seconds),
            limits=httpx.Limits(max_connections=200, max_keepalive_connections=100),
            trust_env=False,
        )

    def start(self) -> None:
        """Start to follow the splits; returns after the first read of the store."""
        self._thread.start()
        self._loaded.wait(2.0)

    def stop(self) -> None:
        """Stop following."""
        self._stopped.set()
        self._thread.join(timeout=min(2.0, 2 * self._watch_seconds))
        self._copies.shutdown(cancel_futures=True)
        self._client.close()
        self._http.close()

    def split(self, model_type: ModelType) -> Split | None:
        """Return the current split, or `None` before the first deployment."""
        return self._splits.get(model_type)

    def _follow(self) -> None:
        pause = 0.05
        while not self._stopped.is_set():
            try:
                if not self._loaded.is_set():
                    self._load()
                for rollout in self._rollouts.watch(self._watch_seconds, self._stopped):
                    self.take(rollout)
                    pause = 0.05
                    if self._stopped.is_set():
                        return
            except Exception as error:  # noqa: BLE001 - without this thread no undo would ever reach this process
                said = error.message if isinstance(error, ShieldError) else repr(error)
                logger.warning("rollouts cannot be followed: %s", said)
                self._stopped.wait(pause)
                pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    def _load(self) -> None:
        for rollout in self._rollouts.list():  # a watch does not say when it has told all there is
            self.take(rollout)
        self._loaded.set()

    def take(self, rollout: ModelRollout, *, changed_here: bool = False) -> None:
        """Use a new state of a rollout.

        Args:
            rollout: The rollout as stored.
            changed_here: Whether this process made the change, which then applies before the watch
                reports it. A newer state from the watch is kept.
        """
        model_type, split = rollout.spec.model_type, split_in_force(rollout)
        with self._taking:
            uid, generation = self._taken.get(model_type, ("", 0))
            known = uid == rollout.uid
            if known and changed_here and rollout.generation <= generation:
                return
            if known and rollout.generation < generation:
                return  # read before a change that was already taken
            self._taken[model_type] = (rollout.uid, rollout.generation)
            if split is not None and not rollout.deleting:
                self._splits[model_type] = split
            compared = None if rollout.deleting else subjects(rollout.status)
            self._trials[model_type] = (
                Trial(compared, rollout.spec.analysis) if compared is not None else None
            )

    async def ask(
        self, model_type: ModelType, text: str, user_id: str, forced: Arm | None
    ) -> Routed:
        """Score one message on the user's arm.

        If the candidate fails, the stable version answers; if the stable version fails, the last
        known good one, while it is warm. `answer` is `None` if all fail.

        Raises:
            Unavailable: No version of the model type is deployed.
        """
        split = self._splits.get(model_type)
        if split is None:
            raise Unavailable(
                f"{MODEL_TYPES[model_type].title} cannot be judged yet: their filter has not been "
                "trained. `shieldctl up` trains what is missing when it starts, "
                f"`shieldctl model train {model_type}` does now.",
                retry_after_seconds=5,
            )
        routed = await self._ask(model_type, text, user_id, forced, split)
        if routed.answer is None:
            # The servers may have changed places just now: look once more before giving up.
            await asyncio.sleep(_SETTLE_SECONDS)
            newest = self._splits[model_type]
            if newest != split:
                routed = await self._ask(model_type, text, user_id, forced, newest)
        return routed

    async def _ask(
        self, model_type: ModelType, text: str, user_id: str, forced: Arm | None, split: Split
    ) -> Routed:
        arm = forced or (Arm.STABLE if split.shadow else arm_for(user_id, split.weight, split.salt))
        tries: list[tuple[Arm, VersionRef, str]] = []
        if arm is Arm.CANDIDATE and split.candidate is not None and split.candidate_url:
            tries.append((Arm.CANDIDATE, split.candidate, split.candidate_url))
        tries.append((Arm.STABLE, split.stable, split.stable_url))
        if split.fallback is not None and split.fallback_url:
            tries.append((Arm.STABLE, split.fallback, split.fallback_url))
        failures: list[Failure] = []
        body = json.dumps({"texts": [text]}).encode()
        for tried, version, url in tries:
            started = self._monotonic()
            try:
                status, said = await self._client.post(_predict_at(url), body)
                taken = (self._monotonic() - started) * 1000
                answer = _answers(status, said, model_type, tried, version, 1, taken)[0]
            except _FAULTS as fault:
                failures.append(Failure(version.name, tried, type(fault).__name__))
            else:
                return Routed(answer, tuple(failures))
        return Routed(None, tuple(failures))

    def trial(self, model_type: ModelType) -> Trial | None:
        """Return the trial that is running, or `None`."""
        return self._trials.get(model_type)

    def other_later(
        self,
        model_type: ModelType,
        text: str,
        answered: str,
        keep: Callable[[Prediction | Failure], None],
    ) -> None:
        """Score an answered message with the other version of the trial, in the background.

        If that version is too slow for the traffic, some messages are left out.

        Args:
            model_type: Model type of the message.
            text: The message.
            answered: The version that has answered the user.
            keep: Called from another thread with the other version's answer.
        """
        other = self._other(model_type, answered)
        if other is None or not self._room.acquire(blocking=False):
            return
        arm, version, url = other

        def work() -> None:
            try:
                keep(self._copy(model_type, text, arm, version, url))
            except Exception:  # nobody else would hear of it
                logger.exception("the other version's score was not stored")
            finally:
                self._room.release()

        self._copies.submit(work)

    def _other(self, model_type: ModelType, answered: str) -> tuple[Arm, VersionRef, str] | None:
        """Return the other version of the trial and its address, while it is warm."""
        split, trial = self._splits.get(model_type), self._trials.get(model_type)
        if split is None:
            return None
        serving = (
            (Arm.CANDIDATE, split.candidate, split.candidate_url),
            (Arm.STABLE, split.stable, split.stable_url),
            (Arm.STABLE, split.fallback, split.fallback_url),
        )
        if split.shadow:
            compared = {split.candidate.name} if split.candidate else set()
        elif trial is not None:
            compared = {trial.subjects.candidate.name, trial.subjects.stable.name}
        else:
            compared = set()
        if not split.shadow and answered not in compared:
            return None
        for arm, version, url in serving:
            if version and url and version.name in compared and version.name != answered:
                return arm, version, url
        return None

    def _copy(
        self, model_type: ModelType, text: str, arm: Arm, version: VersionRef, url: str
    ) -> Prediction | Failure:
        try:
            return self._predict(model_type, arm, version, url, [text])[0]
        except _FAULTS as fault:
            return Failure(version.name, arm, type(fault).__name__)

    def probabilities(
        self, model_type: ModelType, version: str | None, texts: list[str]
    ) -> list[float]:
        """Return scam probabilities of `texts` by a serving version (default: the stable one).

        Raises:
            Unavailable: The version does not serve or does not answer.
        """
        split = self._splits.get(model_type)
        serving = (
            [
                (Arm.STABLE, split.stable, split.stable_url),
                (Arm.CANDIDATE, split.candidate, split.candidate_url),
                (Arm.STABLE, split.fallback, split.fallback_url),
            ]
            if split
            else []
        )
        for arm, known, url in serving:
            if known is None or not url or (version is not None and known.name != version):
                continue
            try:
                answers = self._predict(model_type, arm, known, url, texts)
            except _FAULTS as fault:
                raise Unavailable(
                    f"The model server of {known.name} does not answer ({type(fault).__name__}).",
                    retry_after_seconds=2,
                ) from fault
            return [answer.probability for answer in answers]
        raise Unavailable(
            f"No model server of {version or model_type} runs. Only versions in use can be asked.",
            retry_after_seconds=5,
        )

    def _predict(
        self, model_type: ModelType, arm: Arm, version: VersionRef, url: str, texts: list[str]
    ) -> list[Prediction]:
        started, address = self._monotonic(), _predict_at(url)
        try:
            said = self._http.post(address, json={"texts": texts})
        except (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError):
            # A kept connection that the server has closed meanwhile says nothing about the model.
            said = self._http.post(address, json={"texts": texts})
        taken = (self._monotonic() - started) * 1000
        return _answers(said.status_code, said.content, model_type, arm, version, len(texts), taken)


def _predict_at(url: str) -> str:
    return url.rstrip("/") + "/predict"


def _answers(
    status: int,
    content: bytes,
    model_type: ModelType,
    arm: Arm,
    version: VersionRef,
    texts: int,
    latency_ms: float,
) -> list[Prediction]:
    """Parse the response of a model server; raise one of `_FAULTS` if it is invalid."""
    if status == Overloaded.status:
        told = from_problem(status, json.loads(content))
        if isinstance(told, Overloaded):
            raise told
    if status != _OK:
        answer = httpx.Response(status)
        raise httpx.HTTPStatusError(f"status {status}", request=_NO_REQUEST, response=answer)
    said = json.loads(content)
    predictions: list[dict[str, Any]] = said["predictions"]
    if len(predictions) != texts:
        raise ValueError(f"{texts} messages, {len(predictions)} predictions")
    spent = said.get("processorMs")
    times = latency_ms, None if spent is None else max(0.0, float(spent))
    return [_prediction(model_type, arm, version, one, times) for one in predictions]


def _prediction(
    model_type: ModelType,
    arm: Arm,
    version: VersionRef,
    one: dict[str, Any],
    times: tuple[float, float | None],
) -> Prediction:
    probability = float(one["probability"])
    if not 0 <= probability <= 1:
        raise ValueError(f"{probability} is not a probability")
    label = str(one["label"])
    if label not in LABELS[model_type]:
        raise ValueError("an unknown label")
    positive = is_positive(model_type, label)
    confidence = float(one.get("confidence") or (probability if positive else 1 - probability))
    said = one.get("certainty")
    certainty = Certainty(said) if said else Certainty.by_confidence(confidence)
    return Prediction(
        version.name, arm, label, positive, probability, confidence, certainty, *times
    )
