"""`ModelRollout` (antispamshield.io/v1alpha1): which version a model type should serve, and how.

The same types are stored as JSON by the embedded `RolloutStore`, so a laptop and a cluster run one
state machine. Field names are camelCase on the wire. Times are UTC; durations are seconds. One
source: the CRD's YAML is generated from this module (`make crds`), and a test proves it current.
"""

from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import Field, field_validator

from shield.crds.base import Wire
from shield.crds.evidence import Evidence
from shield.labels import ModelType

GROUP = "antispamshield.io"
VERSION = "v1alpha1"
KIND = "ModelRollout"
PLURAL = "modelrollouts"
SHORT_NAME = "mro"
TAKEN_BACK = "was rejected or taken back and is not proposed again"
"""Part of the message of the CRD's rule about rejected versions; the refusal is known by it."""


class VersionRef(Wire):
    """A model version: the digest is what is verified, the name is what people say."""

    name: Annotated[
        str, Field(min_length=1, max_length=63, pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$")
    ]
    """Name in the registry, e.g. `sms-v3`."""
    digest: Annotated[str, Field(max_length=71, pattern=r"^sha256:[0-9a-f]{64}$")]
    """SHA-256 of the package's `manifest.json`. Two versions are the same if, and only if, this
    is."""
    uri: Annotated[str, Field(min_length=1, max_length=1024)]
    """Prefix of the package in the artifact store, e.g. `packages/sms/sha256-ab12...`."""


class Strategy(StrEnum):
    """How the candidate meets users."""

    CANARY = "canary"
    AB = "ab"
    SHADOW = "shadow"


class Step(Wire):
    """One stage of a rollout."""

    weight: Annotated[int, Field(ge=0, le=100)]
    """Share of users on the candidate, in percent."""
    duration_seconds: Annotated[float, Field(ge=0)] = 3600
    """Shortest time to stay on this step."""
    minimum_exposures: Annotated[int, Field(ge=0)] = 100
    """Fewest scans answered by the candidate on this step before it may be left. 0 asks for
    none."""


class Analysis(Wire):
    """What the candidate is judged by while both arms serve."""

    alpha: Annotated[float, Field(gt=0, lt=1)] = 0.05
    """Chance of rejecting a candidate that is no worse than the stable version, over the whole
    rollout; the chance of promoting one that errs more by the error budget is a third of it."""
    error_budget: Annotated[float, Field(ge=0, le=1)] = 0.005
    """How much higher the candidate's error rate may be, absolute (0.005 = half a point). It is
    promoted once reviewers' decisions show that it is not higher by more. 1 asks for no proof."""
    decisions_per_day: Annotated[float, Field(ge=1)] = 60
    """Messages on which the versions disagree that reviewers decide in a day, at most."""
    messages_per_user: Annotated[int, Field(ge=1)] = 1
    """Different messages of one user that count within a day, so that nobody's messages outweigh
    those of others. Where there are few users, more."""
    max_failure_rate: Annotated[float, Field(ge=0, le=1)] = 0.01
    """Share of requests the candidate may fail (the stable arm then answers) before it is
    rejected."""
    max_latency_ratio: Annotated[float, Field(ge=1)] = 2.0
    """An answer is slow when its server has spent more than so many times what it takes the stable
    version in the median. Processor time counts: waiting for a busy machine does not."""
    latency_floor_ms: Annotated[float, Field(ge=0)] = 100
    """No answer is slow that took its server less, whatever the ratio: a person notices a tenth of
    a second."""
    minimum_latency_samples: Annotated[int, Field(ge=1)] = 50
    """Measured answers of either arm before they are compared."""
    max_slow_share: Annotated[float, Field(ge=0, le=1)] = 0.05
    """How much larger the candidate's share of slow answers may be, absolute. Above it the rollout
    is held, not rejected."""
    slow_seconds: Annotated[float, Field(ge=0)] = 180
    """The candidate must be too slow for so long without a break before the rollout is paused for
    it, and no longer too slow for as long before it goes on."""
    minimum_failures: Annotated[int, Field(ge=1)] = 3
    """Failures or crashes seen before they count: one lost packet rejects nobody."""
    max_failures_in_a_row: Annotated[int, Field(ge=1)] = 5
    """So many requests failed one after the other, while the other version answers, are a fault by
    themselves, however much it answered before."""
    max_verdict_shift: Annotated[float, Field(gt=0, le=1)] = 0.25
    """How far the candidate's share of scam verdicts may lie from the stable version's, absolute.
    It catches swapped labels or a wrong tokenizer before the first user has complained."""


class Resources(Wire):
    """What each model server asks for and may use, in Kubernetes' own quantities."""

    requests: dict[str, str] = {"cpu": "250m", "memory": "512Mi"}
    """The least that each server needs to be scheduled."""
    limits: dict[str, str] = {"memory": "1Gi"}
    """The most that each server may use."""


class ModelRolloutSpec(Wire):
    """What is wanted."""

    model_type: ModelType
    """Immutable."""
    version: VersionRef
    """The version that should serve in the end. Setting it back to the stable one aborts a
    rollout."""
    strategy: Strategy = Strategy.CANARY
    steps: Annotated[list[Step], Field(max_length=20)] = [Step(weight=10), Step(weight=50)]
    """Weights rise. After the last step a canary is promoted; `ab` and `shadow` wait for
    `promote`."""
    analysis: Analysis = Analysis()
    deadline_seconds: Annotated[float, Field(gt=0)] = 7 * 86400
    """A step that cannot be left for want of evidence by then is `Degraded`, with advice."""
    ready_timeout_seconds: Annotated[float, Field(gt=0)] = 600
    """A candidate that is not ready by then makes the rollout `Degraded`: it may be the machine
    that is slow, so it is waited for, and nobody meets it."""
    guard_seconds: Annotated[float, Field(ge=0)] = 86400
    """For this long after a promotion the last known good version stays warm, and faults bring it
    back."""
    replicas: Annotated[int, Field(ge=0, le=1000)] = 2
    """Model servers per version in use. A laptop runs one."""
    resources: Resources = Resources()
    """Of each model server."""
    paused: bool = False
    """Hold the present step, and let no candidate take its first, until this is lifted. A pause
    stops neither judgement nor undo, and asking for a version does not lift it."""
    promote: str | None = Field(default=None, max_length=71)
    """Digest of a candidate to promote now, whatever steps remain. It says nothing about any other
    version. While the evidence does not show that it is good enough, it takes a name and a reason
    as well."""
    promote_by: str | None = Field(default=None, max_length=128)
    """Who asks for it; goes into the ledger."""
    promote_reason: str | None = Field(default=None, max_length=1024)
    """Why, though the evidence is not there; goes into the ledger."""
    abort: str | None = Field(default=None, max_length=71)
    """Digest of a version to give up without a judgement, while it is on trial: it may be asked for
    again, once this is taken out. It says nothing about any other version."""
    abort_by: str | None = Field(default=None, max_length=128)
    """Who asks for it; goes into the ledger."""
    abort_reason: str | None = Field(default=None, max_length=1024)
    """Why; goes into the ledger."""
    reinstate: str | None = Field(default=None, max_length=71)
    """Digest of a rejected version that may be proposed again. It takes a name and a reason, and
    happens once for a version: rejected again, it stays so."""
    reinstate_by: str | None = Field(default=None, max_length=128)
    """Who stands for it; goes into the ledger."""
    reinstate_reason: str | None = Field(default=None, max_length=1024)
    """Why; goes into the ledger."""
    undo: str | None = Field(default=None, max_length=64)
    """A token: each new value asks once to go back to the last known good version."""
    undo_reason: str | None = Field(default=None, max_length=1024)
    """Why; goes into the ledger with the undo."""

    @field_validator("steps")
    @classmethod
    def _weights_rise(cls, steps: list[Step]) -> list[Step]:
        if any(after.weight <= before.weight for before, after in pairwise(steps)):
            raise ValueError("the weights of the steps must rise from each step to the next")
        return steps


class Phase(StrEnum):
    """Where a rollout stands, in one word."""

    HEALTHY = "Healthy"
    PROGRESSING = "Progressing"
    PAUSED = "Paused"
    DEGRADED = "Degraded"


class Condition(Wire):
    """One observed truth, as Kubernetes writes it."""

    type: Literal["Available", "Progressing", "Degraded"]
    status: Literal["True", "False", "Unknown"]
    reason: str
    message: str
    last_transition_time: datetime
    observed_generation: int = 0


class Split(Wire):
    """Who answers now. This, and nothing else, is what the API routes by."""

    stable: VersionRef
    stable_url: str
    candidate: VersionRef | None = None
    candidate_url: str | None = None
    weight: Annotated[float, Field(ge=0, le=100)] = 0
    salt: str = ""
    shadow: bool = False
    """The candidate scores copies and never answers."""
    fallback: VersionRef | None = None
    """The last known good version, while it is warm: it answers when the stable one fails."""
    fallback_url: str | None = None


Action = Literal[
    "install",
    "start",
    "step",
    "pause",
    "resume",
    "promote",
    "reject",
    "undo",
    "abort",
    "reinstate",
]
"""What may happen to a version in a rollout."""


class Transition(Wire):
    """One thing that happened: start, promote, reject, undo, abort ... Append-only, newest last.

    `pause` and `resume` are the operator's own; a person's are in the audit log.
    """

    action: Action
    version: VersionRef
    """The version that it happened to: installed, started, promoted, rejected, taken back, given
    up or reinstated."""
    previous: VersionRef | None = None
    """The version that answered before, or that answers again after an undo."""
    at: datetime
    reason: Annotated[str, Field(max_length=2048)]
    sequence: int
    """Counts up by one per rollout; with the object's uid it names the transition for the
    ledger."""
    evidence: Evidence | None = None
    """What it was decided on."""


class ModelRolloutStatus(Wire):
    """What is, as far as the operator knows. Written only by the operator."""

    observed_generation: int = 0
    phase: Phase = Phase.PROGRESSING
    stable: VersionRef | None = None
    candidate: VersionRef | None = None
    last_known_good: VersionRef | None = None
    """Where an undo of the stable version goes."""
    split: Split | None = None
    step: int = 0
    """Index into `spec.steps`."""
    step_started: datetime | None = None
    """None until the candidate has answered to its first user."""
    step_exposures: int = 0
    """The candidate's exposures when the present step began."""
    slow: bool = False
    """The version on trial takes too long to answer: a candidate is held at its step."""
    slow_disputed: datetime | None = None
    """Since when the evidence has said otherwise than `slow`, without a break."""
    rollout_started: datetime | None = None
    """Start of the evidence; kept through the guard window, then None."""
    guarded: VersionRef | None = None
    """The stable version, while it is on probation: a fault brings the last known good one back."""
    guard_until: datetime | None = None
    """Until then the last known good version stays warm."""
    good: Annotated[list[VersionRef], Field(max_length=20)] = []
    """Versions that were promoted and not taken back, oldest first; the last one is the stable
    one."""
    rejected: Annotated[list[VersionRef], Field(max_length=1000)] = []
    """Never proposed again, unless a person reinstates one."""
    reinstated: Annotated[list[str], Field(max_length=1000)] = []
    """Digests of those that were reinstated, which happens once."""
    history: Annotated[list[Transition], Field(max_length=50)] = []
    """The latest transitions; all of them are in the promotion ledger."""
    undone: str | None = None
    """The last `spec.undo` token that was carried out."""
    conditions: Annotated[list[Condition], Field(max_length=10)] = []


class ModelRollout(Wire):
    """A rollout as a store holds it: named after its model type, one per model type."""

    name: str
    uid: str
    generation: int = 1
    """Counts changes of the spec."""
    resource_version: str
    """Opaque; changes with each write. Writes name the one they have read."""
    spec: ModelRolloutSpec
    status: ModelRolloutStatus = ModelRolloutStatus()
    deleting: bool = False
