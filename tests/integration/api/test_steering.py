"""Steering a rollout over the API: pauses, the end of a trial, and standing for a version."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.tokens import Role
from api.registry import service as registry
from api.rollouts import proposing
from api.rollouts import service as rollouts
from shield.crds.v1alpha1 import Analysis, ModelRollout, Step
from shield.errors import Conflict, RolloutBusy, VersionRejected
from shield.labels import ModelType
from shield.wire import RolloutRequest, VersionRequest
from tests.support.api import running_services
from tests.support.worlds import World

T = TypeVar("T")
SMS = ModelType.SMS


def as_(services: Services, role: Role, work: Callable[[Context], T]) -> T:
    with open_context(services, Principal(f"the-{role.value}", frozenset({role}))) as ctx:
        return work(ctx)


def register(services: Services, number: int) -> None:
    request = VersionRequest(digest="sha256:" + str(number) * 64, uri=f"packages/sms/{number}")
    as_(services, Role.PIPELINE, lambda ctx: registry.register(ctx, SMS, request))


def ask(services: Services, role: Role, name: str) -> None:
    request = RolloutRequest(version=name)
    as_(services, role, lambda ctx: proposing.request(ctx, SMS, request))


def operate(services: Services, seconds: float = 0) -> ModelRollout:
    """Let the operator decide `seconds` later, with servers that are ready at once."""
    rollout = services.rollouts.get("sms")
    now = services.clock() + timedelta(seconds=seconds)
    world = World(rollout.spec, rollout.status, now=now).settle()
    return services.rollouts.write_status(rollout, world.status)


def on_trial(services: Services) -> None:
    """Let sms-v1 serve, and sms-v2 be on trial."""
    for number in (1, 2, 3):
        register(services, number)
    first = RolloutRequest(
        version="sms-v1",
        steps=[Step(weight=10, duration_seconds=60, minimum_exposures=0)],
        analysis=Analysis(error_budget=1),
    )
    as_(services, Role.ADMIN, lambda ctx: proposing.request(ctx, SMS, first))
    operate(services)
    ask(services, Role.PIPELINE, "sms-v2")
    assert operate(services).status.candidate is not None


@pytest.mark.parametrize("role", [Role.PIPELINE, Role.ADMIN])
def test_asking_for_a_version_does_not_lift_a_pause(tmp_path: Path, role: Role) -> None:
    with running_services(tmp_path) as services:
        on_trial(services)
        as_(services, Role.ADMIN, lambda ctx: rollouts.pause(ctx, SMS, "lunch"))
        ask(services, role, "sms-v2")
        rollout = operate(services, 700)
        assert rollout.spec.paused
        assert rollout.status.stable is not None
        assert rollout.status.stable.name == "sms-v1", "it was promoted under a pause"
        as_(services, Role.ADMIN, lambda ctx: rollouts.undo(ctx, SMS, "bad"))
        assert operate(services).spec.paused
        ask(services, role, "sms-v3")
        assert operate(services, 700).status.step_started is None, "it met users under a pause"
        as_(services, Role.ADMIN, lambda ctx: rollouts.resume(ctx, SMS, None))
        assert operate(services, 700).status.step_started is not None


def test_a_trial_is_ended_without_rejecting_the_version_for_ever(tmp_path: Path) -> None:
    with running_services(tmp_path) as services:
        on_trial(services)
        with pytest.raises(RolloutBusy, match="rollout abort"):
            ask(services, Role.ADMIN, "sms-v1")
        as_(services, Role.ADMIN, lambda ctx: rollouts.abort(ctx, SMS, "the wrong week"))
        rollout = operate(services)
        assert (rollout.status.candidate, rollout.status.rejected) == (None, [])
        assert "the-admin ended its trial" in rollout.status.history[-1].reason
        with pytest.raises(Conflict, match="ended by the-admin"):
            ask(services, Role.PIPELINE, "sms-v2")
        assert operate(services).status.candidate is None
        with pytest.raises(Conflict, match="nothing to end"):
            as_(services, Role.ADMIN, lambda ctx: rollouts.abort(ctx, SMS, "again"))
        ask(services, Role.ADMIN, "sms-v2")
        assert operate(services).status.candidate is not None


def test_a_pipeline_takes_nothing_back_by_asking_for_an_earlier_version(tmp_path: Path) -> None:
    with running_services(tmp_path) as services:
        on_trial(services)
        operate(services, 700)
        with pytest.raises(Conflict):
            as_(services, Role.ADMIN, lambda ctx: rollouts.reinstate(ctx, SMS, "sms-v2", "why"))
        as_(services, Role.ADMIN, lambda ctx: _mark(ctx, "sms-v1", "retired"))
        with pytest.raises(Conflict, match="nobody has met yet"):
            ask(services, Role.PIPELINE, "sms-v1")


def test_an_admin_stands_for_a_version_once(tmp_path: Path) -> None:
    with running_services(tmp_path) as services:
        on_trial(services)
        stand = lambda ctx: rollouts.reinstate(ctx, SMS, "sms-v2", "forged reports")  # noqa: E731
        for attempt in range(2):
            as_(services, Role.ADMIN, lambda ctx: rollouts.undo(ctx, SMS, "it flags my bank"))
            operate(services)
            as_(services, Role.ADMIN, lambda ctx: _mark(ctx, "sms-v2", "rejected"))
            with pytest.raises(VersionRejected):
                ask(services, Role.ADMIN, "sms-v2")
            if attempt:
                with pytest.raises(Conflict, match="reinstated before"):
                    as_(services, Role.ADMIN, stand)
                return
            as_(services, Role.ADMIN, stand)
            rollout = operate(services)
            assert (rollout.status.rejected, rollout.status.candidate) == ([], None)
            ask(services, Role.ADMIN, "sms-v2")
            assert operate(services).status.candidate is not None


def _mark(ctx: Context, name: str, status: str) -> None:
    """Say what the ledger would have made of a version."""
    registry.get(ctx, SMS, name).status = status
