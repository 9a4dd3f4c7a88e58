"""A world for the operator's decision: a spec, a status, servers and a clock, moved by hand."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from serving.operator.reconcile import desired_state
from serving.operator.state import Desired, Observed, ServerSeen
from shield.crds.evidence import ArmEvidence, Evidence, PairedEvidence
from shield.crds.v1alpha1 import Analysis, ModelRolloutSpec, ModelRolloutStatus, Step
from tests.support.rollouts import spec, version

START = datetime(2026, 1, 1, tzinfo=UTC)
QUICK = [
    Step(weight=10, duration_seconds=10, minimum_exposures=20),
    Step(weight=50, duration_seconds=10, minimum_exposures=20),
]

UNDECIDED = PairedEvidence()
NOT_WORSE = PairedEvidence(
    messages=4000, disagreements=130, drawn=100, weight=3000, better=75, worse=25
)
"""Reviewers' decisions that show what promotes, at the default error budget."""
ERRS_MORE = NOT_WORSE.model_copy(update={"better": 25, "worse": 75})
"""Reviewers' decisions that reject."""


@dataclass
class World:
    """Applies what is decided, as a driver would; `servers` start at once unless told otherwise."""

    spec: ModelRolloutSpec
    status: ModelRolloutStatus = field(default_factory=ModelRolloutStatus)
    now: datetime = START
    generation: int = 1
    servers: dict[str, ServerSeen] = field(default_factory=dict)
    evidence: Evidence | None = None
    broken: dict[str, ServerSeen] = field(default_factory=dict)
    """By version name: how its servers turn out instead of ready."""
    wanted: list[str] = field(default_factory=list)

    def look(self) -> Desired:
        seen = Observed(self.now, dict(self.servers), self.evidence, self.generation)
        return desired_state(self.spec, self.status, seen)

    def settle(self) -> "World":
        """Reconcile until nothing changes."""
        for _ in range(50):
            want = self.look()
            before = (self.status, dict(self.servers))
            self.status = want.status
            self.wanted = [ref.name for ref in want.servers]
            self.servers = {
                ref.digest: self.broken.get(
                    ref.name, ServerSeen(ready=True, url=f"http://{ref.name}")
                )
                for ref in want.servers
            }
            if (self.status, self.servers) == before:
                return self
        raise AssertionError("it never settles")

    def ask(self, **changes: Any) -> "World":
        """Change the spec. `version` may be a name."""
        if isinstance(changes.get("version"), str):
            changes["version"] = version(changes["version"])
        self.spec = self.spec.model_copy(update=changes)
        self.generation += 1
        return self.settle()

    def wait(self, seconds: float) -> "World":
        self.now += timedelta(seconds=seconds)
        return self.settle()

    def shows(
        self, stable: ArmEvidence, candidate: ArmEvidence, paired: PairedEvidence = UNDECIDED
    ) -> "World":
        self.evidence = Evidence(
            rollout_started=self.status.rollout_started,
            stable=stable,
            candidate=candidate,
            paired=paired,
        )
        return self.settle()

    def show_good(self, exposures: int = 1000) -> "World":
        arm = ArmEvidence(exposures=exposures, positives=exposures // 10, latency_p95_ms=5)
        return self.shows(arm, arm, NOT_WORSE)

    def promote(self, name: str) -> "World":
        """Take a version through all of its steps."""
        self.ask(version=name)
        for exposures in (100, 200):
            self.show_good(exposures).wait(11)
        assert self.stable == name
        return self

    def breaks(self, name: str, **seen: Any) -> "World":
        self.broken[name] = replace(ServerSeen(url=f"http://{name}"), **seen)
        if version(name).digest in self.servers:
            self.servers[version(name).digest] = self.broken[name]
        return self

    @property
    def stable(self) -> str | None:
        return self.status.stable.name if self.status.stable else None

    @property
    def candidate(self) -> str | None:
        return self.status.candidate.name if self.status.candidate else None

    @property
    def rejected(self) -> list[str]:
        return [ref.name for ref in self.status.rejected]

    @property
    def actions(self) -> list[tuple[str, str]]:
        return [(done.action, done.version.name) for done in self.status.history]

    @property
    def weight(self) -> float:
        return self.status.split.weight if self.status.split else 0.0

    def degraded(self) -> tuple[str, str]:
        """Return reason and message of the condition Degraded."""
        return next(
            (condition.reason, condition.message)
            for condition in self.status.conditions
            if condition.type == "Degraded" and condition.status == "True"
        )


def serving(name: str = "sms-v1", **fields: Any) -> World:
    """Return a world in which `name` was installed and answers."""
    given = {"steps": QUICK, "guard_seconds": 100, "analysis": Analysis(), **fields}
    return World(spec(name, **given)).settle()
