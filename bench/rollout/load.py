"""Users that keep asking, routed as the API routes them; every answer goes on record."""

import threading
import time
from dataclasses import dataclass, field
from itertools import count

import httpx

from shield.crds.v1alpha1 import Split
from shield.errors import ShieldError
from shield.rollouts import RolloutStore
from shield.routing import Arm, arm_for


@dataclass
class Load:
    """So many users at a time, each asking again soon after its answer."""

    store: RolloutStore
    name: str = "sms"
    threads: int = 4
    pause_seconds: float = 0.005
    answers: list[tuple[float, str]] = field(default_factory=list)
    """Monotonic time of receipt, and the version that answered."""
    failed: int = 0
    split: Split | None = None
    _stop: threading.Event = field(default_factory=threading.Event)
    _users: "count[int]" = field(default_factory=count)

    def start(self) -> "Load":
        """Start following the split and asking."""
        for work in (self._follow, *[self._ask] * self.threads):
            threading.Thread(target=work, daemon=True).start()
        return self

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()

    def last_answer_of(self, version: str) -> float | None:
        """Return when `version` answered last."""
        return max((at for at, by in list(self.answers) if by == version), default=None)

    def _follow(self) -> None:
        while not self._stop.is_set():
            try:
                for rollout in self.store.watch(5.0):
                    if rollout.name == self.name:
                        self.split = rollout.status.split
            except ShieldError:
                time.sleep(0.05)  # the last split stays in force

    def _ask(self) -> None:
        with httpx.Client(timeout=5, trust_env=False) as client:
            while not self._stop.is_set():
                if self.split is not None:
                    self._once(client, self.split, f"user-{next(self._users)}")
                time.sleep(self.pause_seconds)

    def _once(self, client: httpx.Client, split: Split, user: str) -> None:
        urls = [split.stable_url]
        if split.candidate_url and arm_for(user, split.weight, split.salt) is Arm.CANDIDATE:
            urls.insert(0, split.candidate_url)
        elif split.fallback_url:
            urls.append(split.fallback_url)
        for url in urls:
            try:
                body = {"text": "You have won a prize, call now"}
                answer = client.post(f"{url}/predict", json=body)
                if answer.status_code == httpx.codes.OK:
                    self.answers.append((time.monotonic(), answer.json()["modelVersion"]))
                    return
            except httpx.HTTPError:
                continue
        self.failed += 1
