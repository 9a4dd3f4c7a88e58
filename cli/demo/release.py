"""Chapters four and five: the new version meets users, is judged, and is taken back.

A judgement against it is an ending like any other: the users have kept the version that they had,
which is what the loop is for.
"""

import time
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from cli.demo.people import ReviewRoom
from cli.demo.stage import Stage
from cli.demo.traffic import Traffic
from shield.client import ShieldClient
from shield.crds.v1alpha1 import Condition, ModelRollout, Phase
from shield.errors import ShieldError, Unavailable
from shield.labels import ModelType
from shield.wire import RolloutRequest

PATIENCE_SECONDS = 900.0
"""Longest wait for a judgement: a busy machine answers slowly, and a trial that was paused for slow
answers needs some minutes to go on."""
_SETTLED_SECONDS = 120.0
UNDECIDED_SECONDS = 90.0
"""After so long without evidence a person promotes the version, by name and with a reason."""
_UNDECIDED = ("AwaitingEvidence", "UsersObject")
_JUDGED = ("ErrsMore", "VerdictsShifted")
"""Reasons that speak about the version. All others say that a part of the system has failed."""


class Ending(NamedTuple):
    """How the story of a version ends."""

    kind: Literal["released", "refused", "rejected", "held"]
    words: str
    """Why, as the system has said it."""


@dataclass
class Release:
    """The rollout of one version, told as it goes."""

    scene: Stage
    narrator: ShieldClient
    room: ReviewRoom
    traffic: Traffic
    version: str
    patience_seconds: float = PATIENCE_SECONDS
    undecided_seconds: float = UNDECIDED_SECONDS
    _told: set[str] = field(default_factory=set)
    _waited: dict[str, float] = field(default_factory=dict)

    def judged(self) -> Ending:
        """Wait until the version is promoted and answers everybody, or is judged otherwise.

        Raises:
            ShieldError: It could not be served, or nothing was decided in time.
        """
        try:
            ending = self.scene.wait_for(
                f"The promotion of {self.version}", self._decided, self.patience_seconds
            )
        except Unavailable:
            held = _slow(self._rollout())
            if held is None:
                raise
            return Ending("held", held.message)
        if ending.kind != "released":
            return ending
        settled = time.monotonic()
        return self.scene.wait_for(
            f"{self.version} answering everybody",
            lambda: self._against() or (ending if self._everywhere(settled) else None),
            _SETTLED_SECONDS,
        )

    def undone(self, good: str) -> float | None:
        """Take it back; return the milliseconds until its last answer.

        None if it had returned by itself before anybody asked.
        """
        against = self._against()
        if against is not None:
            self.scene.tell(f"It returned by itself: {against.words}")
            return None
        asked = time.monotonic()
        self.narrator.undo_rollout(ModelType.SMS, "demo: a partner reports false alarms")
        self.scene.wait_for(
            f"The return to {good}", lambda: alone(self.traffic, good, asked), _SETTLED_SECONDS
        )
        answers = self.traffic.answers(since=asked)
        last = max(
            (answer.at for answer in answers if answer.version == self.version), default=asked
        )
        return (last - asked) * 1000

    def never_again(self) -> str:
        """Ask for what must not be had, tell the answers, and return who serves."""
        again = refusal(lambda: self.narrator.undo_rollout(ModelType.SMS, "demo: once more"))
        time.sleep(1.0)
        serving = self._rollout().status.stable
        assert serving is not None
        self.scene.tell(f"A second undo: {again}")
        self.scene.tell(f"[name]{serving.name}[/] still answers.")
        request = RolloutRequest(version=self.version)
        refused = refusal(lambda: self.narrator.request_rollout(ModelType.SMS, request))
        self.scene.tell(f"Proposing {self.version} again: {refused}")
        return serving.name

    def last_words(self) -> str:
        """Return the reason of the latest transition."""
        return _last_reason(self._rollout())

    def _rollout(self) -> ModelRollout:
        return self.narrator.rollout(ModelType.SMS)

    def _decided(self) -> Ending | None:
        self.room.clear()
        rollout = self._rollout()
        self._watch(rollout)
        against = self._against(rollout)
        if against is not None:
            return against
        self._end_by_hand(rollout)
        served = serving(rollout, self.version)
        return Ending("released", _last_reason(rollout)) if served else None

    def _against(self, rollout: ModelRollout | None = None) -> Ending | None:
        """Return the ending of a version that was rejected or has returned, None for another."""
        status = (rollout or self._rollout()).status
        if self.version not in [rejected.name for rejected in status.rejected]:
            return None
        why = next(
            done.reason
            for done in reversed(status.history)
            if done.version.name == self.version and done.action in ("reject", "undo")
        )
        if not any(reason in why for reason in _JUDGED):
            raise ShieldError(
                f"{self.version} could not be served: {why} The stable version went on answering. "
                f"Look into {self.scene.home.logs}, then run the demo again."
            )
        return Ending("rejected", why)

    def _everywhere(self, since: float) -> bool | None:
        return alone(self.traffic, self.version, since)

    def _watch(self, rollout: ModelRollout) -> None:
        """Tell of each step once, with the evidence so far, and of a pause."""
        status = rollout.status
        if status.candidate is None or status.split is None:
            return
        slow = _slow(rollout)
        if slow is not None:
            self._once("slow", f"[quiet]paused:[/] {slow.message}")
        weight = status.split.weight
        if weight:
            self._once(f"{weight}", lambda: self._step(rollout))

    def _step(self, rollout: ModelRollout) -> str:
        split = rollout.status.split
        assert split is not None
        paired = self.narrator.evidence(ModelType.SMS).paired
        return (
            f"{split.weight:3.0f} % on [name]{self.version}[/]   "
            f"[quiet]of {paired.messages} messages the versions disagree on "
            f"{paired.disagreements}; decided so far: {self.version} right in {paired.better}, "
            f"{split.stable.name} in {paired.worse}[/]"
        )

    def _end_by_hand(self, rollout: ModelRollout) -> None:
        """Let a person promote a version that only lacks decisions, when it takes too long here."""
        awaited = next((one for one in rollout.status.conditions if one.reason in _UNDECIDED), None)
        if awaited is None or rollout.spec.promote is not None:
            return
        since = self._waited.setdefault("evidence", time.monotonic())
        if time.monotonic() - since < self.undecided_seconds:
            return
        self.scene.tell(f"[quiet]not decided yet:[/] {awaited.message}")
        self.scene.tell("A demo has only minutes: a person promotes it, by name and with a reason.")
        self.narrator.promote_rollout(ModelType.SMS, "demo: the trial has only minutes")

    def _once(self, key: str, words: Any) -> None:
        if key not in self._told:
            self._told.add(key)
            self.scene.tell(words if isinstance(words, str) else words())


def serving(rollout: ModelRollout, version: str) -> bool:
    """Tell whether `version` alone serves."""
    split = rollout.status.split
    return rollout.status.candidate is None and split is not None and split.stable.name == version


def alone(traffic: Traffic, version: str, since: float) -> bool | None:
    """Return true once fifty users in a row were answered by `version`, `None` before.

    The rollout's status tells what should be; only answers tell what is.
    """
    latest = traffic.answers(since=since)[-50:]
    return (len(latest) == 50 and all(answer.version == version for answer in latest)) or None


def refusal(ask: Any) -> str:
    """Ask, and return what was answered in words."""
    try:
        ask()
    except ShieldError as refused:
        return refused.message
    return "taken, and nothing to go back to."


def _slow(rollout: ModelRollout) -> Condition | None:
    """Return the condition of a trial that is paused for slow answers."""
    if rollout.status.phase is not Phase.PAUSED or not rollout.status.slow:
        return None
    return next(one for one in rollout.status.conditions if one.type == "Progressing")


def _last_reason(rollout: ModelRollout) -> str:
    return rollout.status.history[-1].reason if rollout.status.history else "no reason was given."
