"""What stolen machine tokens can do: nothing that a gate, the operator or an admin has ruled out.

A Hypothesis state machine has an honest admin and an honest operator, and callers who hold the
tokens of the pipeline and of the operator and mean harm.
"""

import hashlib
import shutil
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import delete

from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.tokens import Role
from api.privacy import lineage
from api.registry import ledger
from api.registry import service as registry
from api.rollouts import proposing
from api.rollouts import service as rollouts
from api.tables import Base, LedgerRow, Version
from serving.operator.state import ServerSeen
from shield.crds.v1alpha1 import (
    Analysis,
    ModelRolloutStatus,
    Step,
    Strategy,
    Transition,
    VersionRef,
)
from shield.errors import Conflict, Forbidden, ShieldError
from shield.labels import ModelType
from shield.wire import (
    RolloutPolicy,
    RolloutRequest,
    TransitionRequest,
    VersionRead,
    VersionRequest,
)
from tests.support.api import MovableClock, running_services
from tests.support.worlds import World

T = TypeVar("T")
SMS = ModelType.SMS
FINAL = {"refused", "rejected", "rolled_back"}
ACTIONS = ["install", "start", "step", "promote", "reject", "undo", "abort", "resume"]
SEIZING: list[dict[str, Any]] = [
    {"steps": [Step(weight=100, duration_seconds=0, minimum_exposures=0)]},
    {"analysis": Analysis(error_budget=1)},
    {"guard_seconds": 0.0},
    {"strategy": Strategy.AB},
    {"replicas": 0},
]
POLICIES = [
    RolloutPolicy(
        steps=[Step(weight=weight, duration_seconds=60, minimum_exposures=0)],
        analysis=Analysis(error_budget=1),
        guard_seconds=guard,
    )
    for weight, guard in ((10, 100.0), (30, 50.0))
]


class HostileMachine(RuleBasedStateMachine):
    """One model type, its versions, and everybody who may touch them."""

    versions = Bundle("versions")
    services: Services

    def __init__(self) -> None:
        super().__init__()
        self.clock: MovableClock = self.services.clock  # type: ignore[assignment]
        self.final: dict[str, str] = {}
        self.tainted: set[str] = set()
        self.made: dict[tuple[str, int], tuple[str, str]] = {}
        self.policy = POLICIES[0]
        self.paused = False
        self.count = 0
        self.services.rollouts.delete("sms")
        with self.services.sessions() as session:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(delete(table))
            session.commit()

    def as_(self, role: Role, work: Callable[[Context], T]) -> T:
        with open_context(self.services, Principal(role.value, frozenset({role}))) as ctx:
            return work(ctx)

    def tried(self, role: Role, work: Callable[[Context], object]) -> ShieldError | None:
        try:
            self.as_(role, work)
        except ShieldError as error:
            return error
        return None

    def read(self, name: str) -> VersionRead:
        return self.as_(
            Role.ADMIN, lambda ctx: VersionRead.model_validate(registry.get(ctx, SMS, name))
        )

    def uid(self) -> str:
        return self.services.rollouts.get("sms").uid

    @initialize(target=versions)
    def first(self) -> str:
        name = self.register(refused=False)
        request = RolloutRequest.model_validate({**dict(self.policy), "version": name})
        self.as_(Role.ADMIN, lambda ctx: proposing.request(ctx, SMS, request))
        return name

    @rule(target=versions, refused=st.booleans())
    def the_pipeline_trains(self, refused: bool) -> str:
        return self.register(refused)

    def register(self, refused: bool) -> str:
        self.count += 1
        digest = "sha256:" + hashlib.sha256(str(self.count).encode()).hexdigest()
        request = VersionRequest(
            digest=digest,
            uri=f"packages/sms/{self.count}",
            status="refused" if refused else "candidate",
            refusal="recall fell" if refused else None,
        )
        read = self.as_(Role.PIPELINE, lambda ctx: registry.register(ctx, SMS, request))
        return read.name

    @rule(version=versions)
    def the_pipeline_calls_a_refused_package_a_candidate(self, version: str) -> None:
        known = self.read(version)
        again = VersionRequest(digest=known.digest, uri=known.uri, status="candidate")
        self.tried(Role.PIPELINE, lambda ctx: registry.register(ctx, SMS, again))

    @rule(version=versions, seizing=st.sampled_from(SEIZING))
    def the_pipeline_sets_how_it_is_judged(self, version: str, seizing: dict[str, Any]) -> None:
        request = RolloutRequest(version=version, **seizing)
        before = self.services.rollouts.get("sms").spec
        refused = self.tried(Role.PIPELINE, lambda ctx: proposing.request(ctx, SMS, request))
        assert isinstance(refused, Forbidden | Conflict)
        assert self.services.rollouts.get("sms").spec == before

    @rule(version=versions)
    def the_pipeline_proposes(self, version: str) -> None:
        before = self.services.rollouts.get("sms")
        request = RolloutRequest(version=version)
        refused = self.tried(Role.PIPELINE, lambda ctx: proposing.request(ctx, SMS, request))
        if version in [ref.name for ref in before.status.good]:
            after = self.services.rollouts.get("sms").spec
            assert after.version == before.spec.version, "it may not go back, which takes back"
            assert refused is not None or version == before.spec.version.name

    @rule(
        version=versions,
        other=versions,
        action=st.sampled_from(ACTIONS),
        sequence=st.integers(0, 8),
        invented=st.booleans(),
    )
    def the_operators_token_forges_a_transition(
        self, version: str, other: str, action: Any, sequence: int, invented: bool
    ) -> None:
        uid = "invented" if invented else self.uid()
        forged = TransitionRequest(
            action=action,
            version=self.read(version).ref,
            previous=self.read(other).ref,
            at=self.clock(),
            reason="forged",
            sequence=sequence,
            rollout_uid=uid,
        )
        refused = self.tried(Role.OPERATOR, lambda ctx: ledger.record(ctx, SMS, forged))
        assert isinstance(refused, Conflict)

    @rule(seconds=st.sampled_from([1, 70, 200]), broken=st.booleans())
    def the_operator_works(self, seconds: int, broken: bool) -> None:
        self.clock.move_on(seconds)
        rollout = self.services.rollouts.get("sms")
        world = World(rollout.spec, rollout.status, now=self.clock())
        candidate = rollout.status.candidate
        if broken and candidate is not None:
            world.broken = {candidate.name: ServerSeen(refusal="It is not signed.")}
        world.settle()
        self.services.rollouts.write_status(rollout, world.status)
        self.tell(rollout.uid, world.status)

    def tell(self, uid: str, status: ModelRolloutStatus) -> None:
        for done in status.history:
            self.made[uid, done.sequence] = (done.action, done.version.name)
            request = TransitionRequest(**done.model_dump(), rollout_uid=uid)
            self.as_(Role.OPERATOR, partial(ledger.record, model_type=SMS, request=request))

    @rule(version=versions)
    def the_admin_starts(self, version: str) -> None:
        request = RolloutRequest(version=version)
        self.tried(Role.ADMIN, lambda ctx: proposing.request(ctx, SMS, request))

    @rule(policy=st.sampled_from(POLICIES))
    def the_admin_sets_how_versions_are_judged(self, policy: RolloutPolicy) -> None:
        self.as_(Role.ADMIN, lambda ctx: rollouts.change_policy(ctx, SMS, policy))
        self.policy = policy

    @rule()
    def the_admin_undoes(self) -> None:
        self.tried(Role.ADMIN, lambda ctx: rollouts.undo(ctx, SMS, "it flags my bank"))

    @rule(paused=st.booleans())
    def the_admin_pauses_or_resumes(self, paused: bool) -> None:
        work = rollouts.pause if paused else rollouts.resume
        self.as_(Role.ADMIN, lambda ctx: work(ctx, SMS, "lunch"))
        self.paused = paused

    @rule()
    def the_admin_ends_the_trial(self) -> None:
        before = self.services.rollouts.get("sms").status
        self.tried(Role.ADMIN, lambda ctx: rollouts.abort(ctx, SMS, "the wrong week"))
        assert self.services.rollouts.get("sms").status.rejected == before.rejected

    @rule(version=versions)
    def the_admin_reinstates(self, version: str) -> None:
        work = lambda ctx: rollouts.reinstate(ctx, SMS, version, "forged")  # noqa: E731
        if self.tried(Role.ADMIN, work) is None:
            self.final.pop(version, None)
            self.tainted.discard(version)

    @rule(version=versions)
    def the_admin_taints(self, version: str) -> None:
        self.as_(Role.ADMIN, lambda ctx: lineage.taint(ctx, SMS, version, "poisoned"))
        self.tainted.add(version)

    @invariant()
    def what_is_final_stays(self) -> None:
        with self.services.sessions() as session:
            rows = session.query(Version).all()
        now = {row.name: row.status for row in rows}
        for name, status in self.final.items():
            assert now[name] == status
        assert self.tainted <= {row.name for row in rows if row.tainted}
        self.final |= {name: status for name, status in now.items() if status in FINAL}

    @invariant()
    def the_owner_alone_says_how_versions_are_judged(self) -> None:
        spec = self.services.rollouts.get("sms").spec
        told = RolloutPolicy.model_validate(spec.model_dump(include=set(self.policy.named)))
        assert told == self.policy

    @invariant()
    def a_pause_stays_until_somebody_resumes(self) -> None:
        assert self.services.rollouts.get("sms").spec.paused == self.paused

    @invariant()
    def the_ledger_holds_what_rollouts_have_done_and_nothing_else(self) -> None:
        with self.services.sessions() as session:
            for row in session.query(LedgerRow):
                assert self.made[row.rollout_uid, row.sequence] == (row.action, row.version)

    @invariant()
    def nobody_meets_what_a_gate_refused(self) -> None:
        status = self.services.rollouts.get("sms").status
        met = {ref.name for ref in (status.stable, status.candidate) if ref is not None}
        assert not met & {name for name, final in self.final.items() if final == "refused"}


def test_a_stolen_machine_token_overturns_no_refusal_and_forges_no_history() -> None:
    folder = Path(tempfile.mkdtemp(prefix="shield-hostile-"))
    try:
        with running_services(folder) as services:

            class Machine(HostileMachine):
                pass

            Machine.services = services
            case = Machine.TestCase
            case.settings = settings(
                max_examples=12,
                stateful_step_count=25,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            )
            case("runTest").runTest()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_a_transition_older_than_the_status_remembers_is_recorded_and_changes_no_version(
    tmp_path: Path,
) -> None:
    ref = VersionRef(name="sms-v1", digest="sha256:" + "a" * 64, uri="packages/sms/1")
    told = Transition(
        action="promote", version=ref, at=MovableClock()(), reason="late", sequence=50
    )
    with running_services(tmp_path) as services:

        def as_(role: Role, work: Callable[[Context], T]) -> T:
            with open_context(services, Principal(role.value, frozenset({role}))) as ctx:
                return work(ctx)

        request = VersionRequest(digest=ref.digest, uri=ref.uri)
        as_(Role.PIPELINE, lambda ctx: registry.register(ctx, SMS, request))
        asked = RolloutRequest(version="sms-v1")
        rollout = as_(Role.ADMIN, lambda ctx: proposing.request(ctx, SMS, asked))
        status = ModelRolloutStatus(stable=ref, history=[told])
        services.rollouts.write_status(rollout, status)
        late = TransitionRequest(
            **{**told.model_dump(), "sequence": 3, "action": "reject"}, rollout_uid=rollout.uid
        )
        assert as_(Role.OPERATOR, lambda ctx: ledger.record(ctx, SMS, late)).action == "reject"
        assert as_(Role.ADMIN, lambda ctx: registry.get(ctx, SMS, "sms-v1").status) == "candidate"
