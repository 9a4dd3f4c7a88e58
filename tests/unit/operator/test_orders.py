"""Random orders of events, kills, conflicts and restarts: the split always comes right."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from serving.operator.reconcile import desired_state
from serving.operator.state import Observed, ServerSeen
from shield.crds.evidence import ArmEvidence, Evidence
from shield.crds.v1alpha1 import ModelRollout, ModelRolloutStatus, Split, VersionRef
from shield.rollouts.rules import split_in_force
from tests.support.rollouts import spec, version
from tests.support.worlds import QUICK, START

NAMES = [f"sms-v{number}" for number in range(1, 7)]
GOOD = ArmEvidence(exposures=400, positives=40, latency_p95_ms=5, timed=400)
BAD = ArmEvidence(exposures=100, positives=10, failures=60, latency_p95_ms=5)
DEAD = ArmEvidence(exposures=400, positives=40, failures=5, failures_in_a_row=5)
SLOW = GOOD.model_copy(update={"timed": 200, "slow": 150})
UNREACHED = DEAD.model_copy(update={"unreached_in_a_row": 5})
SHOWN = [GOOD, GOOD, BAD, DEAD, SLOW]
LOOKS = st.integers(0, 3)
SERVERS = [
    ServerSeen(),
    ServerSeen(ready=True),
    ServerSeen(crashes=1),
    ServerSeen(crashes=3),
    ServerSeen(refusal="It is not signed."),
]


class Orders(RuleBasedStateMachine):
    """Two operators, of which either may act on a state that is out of date, over one fenced
    store."""

    def __init__(self) -> None:
        super().__init__()
        self.spec = spec("sms-v1", steps=QUICK, guard_seconds=100)
        self.status = ModelRolloutStatus()
        self.version = 0
        self.generation = 1
        self.now = START
        self.running: set[str] = set()
        self.fate: dict[str, ServerSeen] = {}
        self.evidence: Evidence | None = None
        self.remembered: list[tuple[int, ModelRolloutStatus]] = []
        self.served: list[VersionRef] = []
        self.tokens = 0

    def seen(self) -> Observed:
        servers = {}
        for name in self.running:
            fate = self.fate.get(name, ServerSeen(ready=True))
            servers[version(name).digest] = replace(fate, url=f"http://{name}")
        return Observed(self.now, servers, self.evidence, self.generation)

    def act(self, known: ModelRolloutStatus, read: int, *, die_before_apply: bool = False) -> None:
        """One pass of an operator that has read the status at version `read`."""
        want = desired_state(self.spec, known, self.seen())
        if want.status != known:
            if read != self.version:
                return  # conflict: it reads again another time
            self.check_readiness(self.status, want.status)
            self.check_pace(self.status, want.status)
            self.status = want.status
            self.version += 1
            self.remembered.append((self.version, self.status))
        if not die_before_apply:
            self.running = {ref.name for ref in want.servers}

    @initialize(looks=st.integers(0, 3))
    def install(self, looks: int) -> None:
        self.look(looks)

    def look(self, times: int) -> None:
        for _ in range(times):
            self.act(self.status, self.version)

    @rule(times=st.integers(1, 4))
    def reconcile(self, times: int) -> None:
        self.look(times)

    @rule(name=st.sampled_from(NAMES), rounds=st.integers(1, 4), candidate=st.sampled_from(SHOWN))
    def go_through_a_trial(self, name: str, rounds: int, candidate: ArmEvidence) -> None:
        """What happens most: a version is asked for, users meet it, time passes."""
        self.ask_for(name, looks=3)
        for number in range(1, rounds + 1):
            met = candidate.model_copy(update={"exposures": candidate.exposures + 100 * number})
            self.evidence = Evidence(
                rollout_started=self.status.rollout_started, stable=GOOD, candidate=met
            )
            self.now += timedelta(seconds=11)
            self.look(2)

    @rule()
    def die_between_write_and_apply(self) -> None:
        self.act(self.status, self.version, die_before_apply=True)

    @precondition(lambda self: self.remembered)
    @rule(back=st.integers(1, 4))
    def a_deposed_leader_acts_on_what_it_remembers(self, back: int) -> None:
        read, known = self.remembered[-min(back, len(self.remembered))]
        self.act(known, read)

    @rule(name=st.sampled_from(NAMES), looks=LOOKS)
    def ask_for(self, name: str, looks: int) -> None:
        if name in {ref.name for ref in self.status.rejected}:
            return  # both stores refuse it
        self.change(version=version(name))
        self.look(looks)

    @rule(looks=LOOKS)
    def undo(self, looks: int) -> None:
        self.tokens += 1
        self.change(undo=f"token-{self.tokens}")
        at_once, before = self.in_force(), self.status
        self.look(min(looks, 1))
        done = self.status.undone == self.spec.undo and self.status.history != before.history
        if at_once is not None and done:
            # Whoever routed by the request alone has sent nobody where the operator does not.
            assert at_once.candidate is None
            assert before.split is not None
            warm = before.split.fallback == self.status.stable
            assert at_once.stable == (self.status.stable if warm else before.split.stable)
        self.look(max(looks - 1, 0))

    def in_force(self) -> Split | None:
        """Return what the API routes by."""
        return split_in_force(
            ModelRollout(
                name="sms", uid="1", resource_version="1", spec=self.spec, status=self.status
            )
        )

    @rule(paused=st.booleans(), looks=LOOKS)
    def pause(self, paused: bool, looks: int) -> None:
        self.change(paused=paused)
        self.look(looks)

    @rule(name=st.sampled_from(NAMES), looks=LOOKS)
    def end_the_trial(self, name: str, looks: int) -> None:
        self.change(abort=version(name).digest, abort_by="ada", abort_reason="the wrong week")
        at_once = self.in_force()
        if at_once is not None:
            assert at_once.candidate is None or at_once.candidate.name != name
        self.look(looks)

    @rule(name=st.sampled_from(NAMES), looks=LOOKS)
    def reinstate(self, name: str, looks: int) -> None:
        self.change(
            reinstate=version(name).digest, reinstate_by="ada", reinstate_reason="it was forged"
        )
        self.look(looks)

    @rule(looks=LOOKS)
    def promote(self, looks: int) -> None:
        self.change(promote=self.spec.version.digest)
        self.look(looks)

    @rule(name=st.sampled_from(NAMES), fate=st.sampled_from(SERVERS))
    def servers_turn_out(self, name: str, fate: ServerSeen) -> None:
        self.fate[name] = fate

    @rule(name=st.sampled_from(NAMES))
    def servers_are_lost(self, name: str) -> None:
        self.running.discard(name)

    @rule(seconds=st.sampled_from([1, 11, 120, 700_000]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(candidate=st.sampled_from([GOOD, BAD, DEAD, UNREACHED, SLOW]), stale=st.booleans())
    def evidence_arrives(self, candidate: ArmEvidence, stale: bool) -> None:
        started = START if stale else self.status.rollout_started
        self.evidence = Evidence(rollout_started=started, stable=GOOD, candidate=candidate)

    @invariant()
    def an_undo_goes_back_and_never_forward(self) -> None:
        """Whoever serves after an undo was promoted before the version that was taken back."""
        first: dict[str, int] = {}
        for done in self.status.history:
            if done.action in ("install", "promote"):
                first.setdefault(done.version.digest, done.sequence)
            if done.action == "reinstate":
                first.pop(done.version.digest, None)
            if done.action == "undo":
                assert done.previous is not None
                assert first[done.previous.digest] < first[done.version.digest]

    @invariant()
    def what_was_taken_back_is_rejected(self) -> None:
        rejected = {ref.digest for ref in self.status.rejected}
        for done in self.status.history:
            if done.action in ("undo", "reject"):
                assert done.version.digest in rejected | set(self.status.reinstated)

    def check_readiness(self, before: ModelRolloutStatus, after: ModelRolloutStatus) -> None:
        """Nobody begins to answer, in whatever role, unless its servers are ready."""
        servers, old, new = self.seen().servers, before.split, after.split
        if new is None:
            return
        if old is None or old.stable != new.stable:
            assert servers[new.stable.digest].ready
        for ref in (new.candidate, new.fallback):
            assert ref is None or servers[ref.digest].ready

    def check_pace(self, before: ModelRolloutStatus, after: ModelRolloutStatus) -> None:
        """While answers are too slow, or look it, nobody new meets the candidate but by a person's
        word; and slowness alone rejects nobody."""
        doubted = before.slow or before.slow_disputed is not None
        if doubted and after.candidate is not None and after.candidate == before.candidate:
            assert after.step == before.step
        last = after.history[-1] if after.history else None
        if doubted and after.stable != before.stable and last and last.action == "promote":
            assert self.spec.promote == last.version.digest
        assert not (last and last.action in ("reject", "undo") and "AnswersSlow" in last.reason)

    def change(self, **fields: object) -> None:
        changed = self.spec.model_copy(update=fields)
        if changed != self.spec:
            self.spec = changed
            self.generation += 1
            self.version += 1  # a store counts writes of the spec too

    @invariant()
    def no_rejected_version_serves(self) -> None:
        rejected = {ref.digest for ref in self.status.rejected}
        for ref in (self.status.stable, self.status.candidate, *self.status.good):
            assert ref is None or ref.digest not in rejected
        for split in (self.status.split, self.in_force()):
            if split is None:
                continue
            for ref in (split.stable, split.candidate, split.fallback):
                assert ref is None or ref.digest not in rejected, "it would answer users"

    @invariant()
    def the_split_names_what_was_decided(self) -> None:
        split, status = self.status.split, self.status
        if split is None:
            assert status.stable is None
            return
        assert status.stable is not None
        assert split.stable == status.stable
        assert split.candidate is None or split.candidate == status.candidate
        assert split.weight == 0 or split.candidate is not None

    @invariant()
    def what_was_rejected_stays_rejected_and_history_only_grows(self) -> None:
        numbers = [done.sequence for done in self.status.history]
        assert numbers == sorted(set(numbers))
        if len(self.remembered) > 1:
            (_, before), (_, after) = self.remembered[-2:]
            lifted = {r.digest for r in before.rejected} - {r.digest for r in after.rejected}
            assert lifted <= set(after.reinstated) - set(before.reinstated)

    def teardown(self) -> None:
        """Let every server work and nothing happen any more: it comes to rest at the right
        split."""
        self.fate.clear()
        self.evidence = None
        self.spec = self.spec.model_copy(update={"paused": False})
        for _ in range(60):
            before = (self.status, set(self.running))
            self.act(self.status, self.version)
            if (self.status, self.running) == before:
                break
        else:
            raise AssertionError("it never comes to rest")
        status = self.status
        if status.stable is None:
            assert self.spec.version.digest in {ref.digest for ref in status.rejected}
            return
        assert status.split is not None
        assert status.split.stable_url == f"http://{status.stable.name}"
        assert status.stable.name in self.running
        if status.candidate is not None:
            assert status.candidate == self.spec.version
            assert status.split.candidate == status.candidate
        wanted = self.spec.version.digest
        rejected = {ref.digest for ref in status.rejected}
        over = {status.stable.digest, self.spec.abort, *rejected}
        assert wanted in over or status.candidate is not None


TestOrders = Orders.TestCase
TestOrders.settings = settings(
    max_examples=1000,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
