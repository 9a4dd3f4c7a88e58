"""Submit, edit, review, undo, lease, acknowledge, crash: in any order, nothing is lost or doubled.

A Hypothesis state machine drives the services as two users, two reviewers and pipeline runs that
may die at any moment, and keeps a plain model of what must be true.
"""

import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)
from sqlalchemy import delete

from api.audit.service import verify
from api.batches import service as batches
from api.feedback import service as feedback
from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.ids import new_id
from api.kit.tokens import Role
from api.registry import service as registry
from api.review import decisions, undoing
from api.tables import Base, Campaign, Feedback, Scan
from shield.errors import AlreadyReviewed, Conflict, Forbidden, LeaseLost
from shield.labels import FeedbackType, ModelType
from shield.similarity import form
from shield.wire import (
    AckRequest,
    FeedbackRequest,
    LeaseRequest,
    ReleaseRequest,
    ReviewAction,
    ReviewRequest,
    VersionRequest,
)
from tests.support.api import MovableClock, running_services

T = TypeVar("T")
TEXTS = ["parcel waits 1", "parcel waits 22", "lunch on friday", "win a prize now", "your code"]
LEASE_SECONDS = 100


@dataclass
class Item:
    """What must be true of one correction."""

    owner: str
    label: str
    status: str = "pending"
    reviewer: str = ""
    batch: str | None = None
    acknowledged: bool = False


@dataclass
class Lease:
    """What must be true of one run's batch."""

    run: str
    batch: str
    items: frozenset[str]
    ends: float
    digest: str
    acknowledged: bool = False


class FeedbackMachine(RuleBasedStateMachine):
    """The life of corrections."""

    scans = Bundle("scans")
    items = Bundle("items")
    runs = Bundle("runs")

    stack: ExitStack
    services: Services
    url: str | None = None

    def __init__(self) -> None:
        super().__init__()
        self.model: dict[str, Item] = {}
        self.leases: dict[str, Lease] = {}
        self.clock: MovableClock = self.services.clock  # type: ignore[assignment]
        self.count = 0
        with self.services.sessions() as session:
            for table in reversed(Base.metadata.sorted_tables):
                session.execute(delete(table))
            session.commit()

    def as_(self, name: str, role: Role, work: Callable[[Context], T]) -> T:
        with open_context(self.services, Principal(name, frozenset({role}))) as ctx:
            return work(ctx)

    def now(self) -> float:
        return self.clock().timestamp()

    def free(self) -> set[str]:
        """Return what the next batch must hold: approved, and held by no live lease."""
        for lease in self.leases.values():
            if not lease.acknowledged and lease.ends <= self.now():
                for item_id in lease.items:
                    if self.model[item_id].batch == lease.batch:
                        self.model[item_id].batch = None
        return {
            item_id
            for item_id, item in self.model.items()
            if item.status == "approved" and item.batch is None
        }

    @initialize()
    def begin(self) -> None:
        assert self.model == {}

    @rule(target=scans, user=st.sampled_from(["ann", "bob", "rita"]), text=st.sampled_from(TEXTS))
    def scan(self, user: str, text: str) -> tuple[str, str]:
        def write(ctx: Context) -> str:
            from api.kit.signature import fingerprint
            from api.users.service import ensure_user

            scan_id = new_id(ctx.now)
            ensure_user(ctx, user)
            ctx.session.add(
                Scan(
                    id=scan_id,
                    user_id=user,
                    scan_type="text",
                    model_type="sms",
                    text_sealed=ctx.ring.seal(text, scan_id),
                    fingerprint=fingerprint(form(text), ctx.ring),
                    verdict="ham",
                    positive=False,
                    probability=0.1,
                    confidence=0.9,
                    model_version="sms-v1",
                    arm="stable",
                    latency_ms=1.0,
                    created_at=ctx.now,
                )
            )
            return scan_id

        return self.as_(user, Role.USER, write), user

    @rule(
        target=items,
        scan=scans,
        claim=st.sampled_from([FeedbackType.FALSE_NEGATIVE, FeedbackType.CONFIRMED]),
    )
    def submit_or_edit(self, scan: tuple[str, str], claim: FeedbackType) -> Any:
        scan_id, user = scan
        request = FeedbackRequest(scan_id=scan_id, feedback_type=claim)
        label = "spam" if claim is FeedbackType.FALSE_NEGATIVE else "ham"
        try:
            read = self.as_(user, Role.USER, lambda ctx: feedback.submit(ctx, request, None))
        except AlreadyReviewed:
            with self.services.sessions() as session:
                row = session.query(Feedback).filter_by(scan_id=scan_id).one()
                known = self.model[row.id]
            assert known.status != "pending"
            assert known.label != label
            return multiple()
        known = self.model.setdefault(read.id, Item(user, label))
        if known.status == "pending":
            known.label = label
        assert (read.status, read.corrected_label) == (known.status, known.label)
        return read.id

    @rule(
        item=items,
        reviewer=st.sampled_from(["rita", "otto"]),
        action=st.sampled_from(list(ReviewAction)),
        scope=st.sampled_from(["item", "campaign"]),
    )
    def review(self, item: str, reviewer: str, action: ReviewAction, scope: Any) -> None:
        known = self.model[item]
        request = ReviewRequest(action=action, scope=scope)
        work = lambda ctx: decisions.decide(ctx, item, request)  # noqa: E731
        if known.owner == reviewer:
            self.refused(Forbidden, reviewer, work)
            return
        if known.status != "pending":
            error = self.refused(AlreadyReviewed, reviewer, work)
            assert known.reviewer in str(error), "the 409 names who decided"
            return
        decided = self.as_(reviewer, Role.REVIEWER, work)
        truth = known.label if action is ReviewAction.APPROVE else self.other(known.label)
        self.settle(
            item, action.value + "d" if action is ReviewAction.APPROVE else "rejected", reviewer
        )
        covered = 1
        if scope == "campaign":
            for other in self.campaign_of(item):
                twin = self.model[other]
                if other != item and twin.status == "pending" and twin.owner != reviewer:
                    same = twin.label == truth
                    self.settle(other, "approved" if same else "rejected", reviewer)
                    covered += 1
        assert decided.covered == covered

    def settle(self, item: str, status: str, reviewer: str) -> None:
        known = self.model[item]
        known.status, known.reviewer = status, reviewer

    @staticmethod
    def other(label: str) -> str:
        return "ham" if label == "spam" else "spam"

    def campaign_of(self, item: str) -> list[str]:
        with self.services.sessions() as session:
            campaign = session.get_one(Feedback, item).campaign_id
            return [row.id for row in session.query(Feedback).filter_by(campaign_id=campaign)]

    def refused(
        self, kind: type[Exception], who: str, work: Callable[[Context], object]
    ) -> Exception:
        try:
            self.as_(who, Role.REVIEWER, work)
        except kind as error:
            return error
        raise AssertionError(f"{kind.__name__} was expected")

    @rule(item=items, reviewer=st.sampled_from(["rita", "otto"]))
    def undo(self, item: str, reviewer: str) -> None:
        known = self.model[item]
        self.free()  # expired leases let go
        work = lambda ctx: undoing.undo(ctx, item, None)  # noqa: E731
        if known.status == "pending":
            self.refused(Conflict, reviewer, work)
            return
        if known.reviewer != reviewer:
            self.refused(Forbidden, reviewer, work)
            return
        with self.services.sessions() as session:
            from api.review.repository import last_decision
            from api.tables import Review

            decision = last_decision(session, item)
            covered = [
                row.feedback_id
                for row in session.query(Review).filter_by(decision=decision, undone_at=None)
            ]
            late = session.get_one(Feedback, item).undo_until < self.clock()  # type: ignore[operator]
        if late or any(self.model[one].batch for one in covered):
            self.refused(Conflict, reviewer, work)
            return
        self.as_(reviewer, Role.REVIEWER, work)
        for one in covered:
            self.settle(one, "pending", "")

    @rule(target=runs, run=st.sampled_from(["run-1", "run-2", "run-3"]), again=st.booleans())
    def lease(self, run: str, again: bool) -> Any:
        free = self.free()
        lease = self.leases.get(run)
        request = LeaseRequest(
            model_type=ModelType.SMS, run_id=run, minimum=1, lease_seconds=LEASE_SECONDS
        )
        result = self.as_("svc", Role.PIPELINE, lambda ctx: batches.lease(ctx, request))
        live = lease and (lease.acknowledged or lease.ends > self.now())
        if lease is not None and live:
            assert result.batch is not None
            assert result.batch.id == lease.batch, "the same run gets the same batch"
            if not lease.acknowledged:
                lease.ends = max(lease.ends, self.now() + LEASE_SECONDS)
            return run
        if result.batch is None:
            # Confirmations ride along: they never make a batch by themselves.
            corrections = {item_id for item_id in free if self.model[item_id].label == "spam"}
            assert not corrections, "approved corrections are never held back"
            self.leases.pop(run, None)
            return multiple()
        content = pq.read_table(
            Path(self.services.artifacts.root) / result.batch.uri  # type: ignore[attr-defined]
        ).to_pylist()
        held = {row["id"] for row in content}
        assert held <= free, "a batch holds only what is approved and free"
        taken_up_again = lease is not None and result.batch.id == lease.batch
        assert held == free or taken_up_again
        assert all(row["label"] == self.model[row["id"]].label for row in content)
        for item_id in held:
            self.model[item_id].batch = result.batch.id
        self.leases[run] = Lease(
            run,
            result.batch.id,
            frozenset(held),
            self.now() + LEASE_SECONDS,
            result.batch.digest,
        )
        return run

    @rule(run=runs)
    def acknowledge(self, run: str) -> None:
        lease = self.leases.get(run)
        if lease is None:
            return
        self.free()
        digest = "sha256:" + lease.digest.removeprefix("sha256:")[::-1]
        version = VersionRequest(digest=digest, uri="packages/x", batches=[lease.batch])

        def work(ctx: Context) -> object:
            named = registry.register(ctx, ModelType.SMS, version)
            return batches.acknowledge(ctx, lease.batch, AckRequest(run_id=run, version=named.name))

        if not lease.acknowledged and lease.ends <= self.now():
            self.refused(LeaseLost, "svc", work)
            return
        if self.owner_of(lease.batch) != run:
            self.refused(LeaseLost, "svc", work)
            return
        self.as_("svc", Role.PIPELINE, work)
        lease.acknowledged = True
        for item_id in lease.items:
            self.model[item_id].acknowledged = True

    def owner_of(self, batch: str) -> str:
        with self.services.sessions() as session:
            from api.tables import Batch

            return session.get_one(Batch, batch).run_id

    @rule(run=consumes(runs))
    def release(self, run: str) -> None:
        lease = self.leases.get(run)
        if lease is None or self.owner_of(lease.batch) != run:
            return
        self.free()
        request = ReleaseRequest(run_id=run, reason="the run failed")
        work = lambda ctx: batches.release(ctx, lease.batch, request)  # noqa: E731
        if lease.acknowledged:
            self.refused(LeaseLost, "svc", work)
            return
        self.as_("svc", Role.PIPELINE, work)
        for item_id in lease.items:
            if self.model[item_id].batch == lease.batch:
                self.model[item_id].batch = None
        del self.leases[run]

    @rule(seconds=st.sampled_from([1, 60, 150, 4000]))
    def time_passes_and_runs_die(self, seconds: int) -> None:
        self.clock.move_on(seconds)

    @invariant()
    def every_item_is_where_the_model_says(self) -> None:
        with self.services.sessions() as session:
            rows = {row.id: row for row in session.query(Feedback)}
            pending = {c.id: c.pending for c in session.query(Campaign)}
        assert rows.keys() == self.model.keys(), "no item is lost or doubled"
        counted: dict[str, int] = {}
        for item_id, known in self.model.items():
            row = rows[item_id]
            assert (row.status, row.corrected_label) == (known.status, known.label)
            if known.acknowledged:
                assert row.batch_id == known.batch, "what was used up stays used up"
            if row.status == "pending" and row.campaign_id:
                counted[row.campaign_id] = counted.get(row.campaign_id, 0) + 1
        assert {c: n for c, n in pending.items() if n} == counted

    def teardown(self) -> None:
        assert self.as_("root", Role.ADMIN, verify).broken_at is None


def run_machine(database_url: str | None, examples: int, steps: int) -> None:
    folder = Path(tempfile.mkdtemp(prefix="shield-machine-"))
    try:
        with running_services(folder, database_url) as services:

            class Machine(FeedbackMachine):
                pass

            Machine.services = services
            case = Machine.TestCase
            case.settings = settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                print_blob=True,
            )
            case("runTest").runTest()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def test_in_any_order_no_item_is_lost_doubled_or_illegally_changed(database_url: str) -> None:
    run_machine(database_url, examples=12, steps=30)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_in_very_many_orders_no_item_is_lost_doubled_or_illegally_changed(
    database_url: str,
) -> None:
    run_machine(database_url, examples=200, steps=50)
