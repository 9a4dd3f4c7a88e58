"""Interface of the router that sends a message to a model server, and its results.

`api.rollouts.router.ModelRouter` implements it; `api.app` hands it to the services.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from shield.crds.v1alpha1 import Analysis, ModelRollout, Split
from shield.labels import Certainty, ModelType
from shield.rollouts.evidence import Subjects
from shield.routing import Arm


@dataclass(frozen=True)
class Prediction:
    """A model server's answer for one message."""

    version: str
    arm: Arm
    label: str
    positive: bool
    probability: float
    confidence: float
    certainty: Certainty
    latency_ms: float
    """Latency in milliseconds at the caller, queueing included."""
    processor_ms: float | None
    """Processing time in milliseconds at the server, without queueing; `None` if not reported."""

    def columns(self) -> dict[str, Any]:
        """Return the columns of a scan that the answer fills."""
        return {
            "verdict": self.label,
            "positive": self.positive,
            "probability": self.probability,
            "confidence": self.confidence,
            "certainty": self.certainty.value,
            "model_version": self.version,
            "arm": self.arm.value,
            "latency_ms": self.latency_ms,
            "processor_ms": self.processor_ms,
        }


@dataclass(frozen=True)
class Failure:
    """A failed request to a version."""

    version: str
    arm: Arm
    kind: str


@dataclass(frozen=True)
class Routed:
    """The answer to one message, with the failures of versions on the way to it."""

    answer: Prediction | None
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class Trial:
    """The two versions of a trial, and the kind of comparison."""

    subjects: Subjects
    analysis: Analysis


class Router(Protocol):
    """Sends a message to the model server of the user's arm."""

    def start(self) -> None:
        """Start to follow the splits of all rollouts."""

    def stop(self) -> None:
        """Stop following, and close the connections to the model servers."""

    def split(self, model_type: ModelType) -> Split | None:
        """Return the versions that answer now; `None` before the first deployment."""

    def take(self, rollout: ModelRollout, *, changed_here: bool = False) -> None:
        """Use a new state of a rollout; `changed_here` if this process has requested the change."""

    async def ask(
        self, model_type: ModelType, text: str, user_id: str, forced: Arm | None
    ) -> Routed:
        """Score one message on the user's arm, or on a forced arm."""
        ...

    def trial(self, model_type: ModelType) -> Trial | None:
        """Return the trial that is running, or `None`."""
        ...

    def other_later(
        self,
        model_type: ModelType,
        text: str,
        answered: str,
        keep: Callable[[Prediction | Failure], None],
    ) -> None:
        """Score the message with the other version of the trial, if any, in the background.

        `answered` is the version that has answered the user; `keep` is called with the result.
        """

    def probabilities(
        self, model_type: ModelType, version: str | None, texts: list[str]
    ) -> list[float]:
        """Return scam probabilities (0 to 1) of a serving version, by default the stable one."""
        ...
