"""How a message reaches a model server: the interface that scans ask, and what it answers.

`api.rollouts.router.ModelRouter` implements it; `api.app` hands it to the services.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from shield.crds.v1alpha1 import Analysis, ModelRollout, Split
from shield.labels import Certainty, ModelType
from shield.rollouts.evidence import Subjects
from shield.routing import Arm


@dataclass(frozen=True)
class Prediction:
    """What a model server said of one message."""

    version: str
    arm: Arm
    label: str
    positive: bool
    probability: float
    confidence: float
    certainty: Certainty
    latency_ms: float
    """As the caller has felt it, waiting included."""
    processor_ms: float | None
    """As the server has spent it, waiting apart; `None` where it does not say."""


@dataclass(frozen=True)
class Failure:
    """A version that should have answered and did not."""

    version: str
    arm: Arm
    kind: str


@dataclass(frozen=True)
class Routed:
    """The answer to one message, and everything that counts for or against a version."""

    answer: Prediction | None
    failures: tuple[Failure, ...]


@dataclass(frozen=True)
class Trial:
    """Two versions that are compared, and how."""

    subjects: Subjects
    analysis: Analysis


class Router(Protocol):
    """Asks the model server of the arm that a user belongs to."""

    def start(self) -> None:
        """Begin to follow the splits of all rollouts."""

    def stop(self) -> None:
        """Stop following, and close the connections to the model servers."""

    def split(self, model_type: ModelType) -> Split | None:
        """Return which versions answer now; `None` before the first deployment."""

    def take(self, rollout: ModelRollout, *, changed_here: bool = False) -> None:
        """Route by this state of a rollout from now on; `changed_here`: by our own request."""

    async def ask(
        self, model_type: ModelType, text: str, user_id: str, forced: Arm | None
    ) -> Routed:
        """Score one message on the user's arm, or on the arm that is forced."""
        ...

    def trial(self, model_type: ModelType) -> Trial | None:
        """Return which versions are compared now, if any."""
        ...

    def other_later(
        self,
        model_type: ModelType,
        text: str,
        answered: str,
        keep: Callable[[Prediction | Failure], None],
    ) -> None:
        """Let the other version of a trial, if any, score the message in the background.

        `answered` is the version whose verdict the user has; `keep` gets what the other says.
        """

    def probabilities(
        self, model_type: ModelType, version: str | None, texts: list[str]
    ) -> list[float]:
        """Return scam probabilities (0 to 1) by a serving version; default: the stable one."""
        ...
