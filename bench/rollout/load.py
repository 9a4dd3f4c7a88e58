"""Users that keep scanning through the API; every answer goes on record."""

import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Protocol

import httpx

_USERS = 200


class Entrance(Protocol):
    """Where users scan: a `Stand`, or a gateway."""

    url: str

    def token(self, subject: str, *roles: str) -> str:
        """Return a token of `subject`; without roles a plain user's."""


@dataclass
class Load:
    """So many users at a time, each scanning again soon after its answer."""

    stand: Entrance
    threads: int = 4
    pause_seconds: float = 0.02
    headers: Mapping[str, str] = field(default_factory=dict)
    """Sent with each request."""
    answers: list[tuple[float, str]] = field(default_factory=list)
    """Monotonic time of receipt, and the version that answered."""
    failed: list[str] = field(default_factory=list)
    """What went wrong, one entry for each request without a verdict."""
    _stop: threading.Event = field(default_factory=threading.Event)
    _numbers: "count[int]" = field(default_factory=count)

    def start(self) -> "Load":
        """Start asking."""
        tokens = [self.stand.token(f"user-{number}") for number in range(_USERS)]
        for _ in range(self.threads):
            threading.Thread(target=self._ask, args=(tokens,), daemon=True).start()
        return self

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()

    def last_answer_of(self, version: str) -> float | None:
        """Return when `version` answered last."""
        return max((at for at, by in self.answers[-20_000:] if by == version), default=None)

    def _ask(self, tokens: list[str]) -> None:
        with httpx.Client(
            base_url=self.stand.url, timeout=10, trust_env=False, headers=self.headers
        ) as client:
            while not self._stop.is_set():
                self._once(client, tokens)
                time.sleep(self.pause_seconds)

    def _once(self, client: httpx.Client, tokens: list[str]) -> None:
        number = next(self._numbers)
        body = {"scanType": "text", "text": f"You have won prize {number}, call now"}
        headers = {"Authorization": f"Bearer {tokens[number % len(tokens)]}"}
        try:
            answer = client.post("/api/v2/scans", json=body, headers=headers)
            answer.raise_for_status()
            version = answer.json()["data"]["modelVersion"]
        except httpx.HTTPStatusError as fault:
            self.failed.append(f"{fault.response.status_code}: {fault.response.text[:300]}")
            return
        except httpx.HTTPError as fault:
            self.failed.append(f"{type(fault).__name__}: {fault}")
            return
        self.answers.append((time.monotonic(), version))
