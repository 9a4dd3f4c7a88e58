"""Score answered scans with the other version of a trial, and store the result as evidence."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial

from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.counters import FAILURES
from api.kit.ids import new_id
from api.kit.routing import Failure, Prediction
from api.sampling import trials
from api.tables import ArmFailure, Scan, ShadowScore, User
from shield.labels import ModelType


@dataclass(frozen=True)
class Seen:
    """An answered scan."""

    id: str
    model_type: ModelType
    version: str
    """The version that answered the user."""
    text: str


def compare_later(services: Services, principal: Principal, scan: Seen, *, consent: bool) -> None:
    """Score a stored scan with the other version of the trial, in the background.

    A shadow candidate scores every message. Otherwise only messages of users who consented to
    review are scored twice, since no others can be decided.
    """
    router = services.router
    split = router.split(scan.model_type)
    if not consent and not (split and split.shadow):
        return
    keep = partial(_keep, services, principal, scan.id, scan.text)
    router.other_later(scan.model_type, scan.text, scan.version, keep)


def failed(now: datetime, model_type: ModelType, failure: Failure) -> ArmFailure:
    """Return the row of a request that a version failed to answer."""
    return ArmFailure(
        id=new_id(now),
        model_type=model_type.value,
        model_version=failure.version,
        arm=failure.arm.value,
        kind=failure.kind,
        at=now,
    )


def count(model_type: ModelType, failure: Failure) -> None:
    """Count a recorded failure for `/metrics`."""
    FAILURES.labels(model_type.value, failure.version, failure.arm.value).inc()


def _keep(
    services: Services, principal: Principal, scan_id: str, text: str, said: Prediction | Failure
) -> None:
    """Store the other version's answer; a disagreement may be drawn for review."""
    with open_context(services, principal) as ctx:
        scan = ctx.session.get(Scan, scan_id)
        if scan is None:  # erased meanwhile
            return
        model_type = ModelType(scan.model_type)
        split, trial = services.router.split(model_type), services.router.trial(model_type)
        shadow = split is not None and split.shadow
        if isinstance(said, Failure):
            # Elsewhere its own users' requests tell whether it fails.
            if shadow:
                ctx.session.add(failed(ctx.now, model_type, said))
                ctx.after_commit.append(partial(count, model_type, said))
            return
        if shadow:
            ctx.session.add(_score(ctx, scan, said))
        user = ctx.session.get(User, scan.user_id)
        if trial is not None and user is not None and user.audit_consent:
            trials.compare(ctx, trial, scan, text, user, said)


def _score(ctx: Context, scan: Scan, said: Prediction) -> ShadowScore:
    return ShadowScore(
        scan_id=scan.id,
        model_version=said.version,
        verdict=said.label,
        positive=said.positive,
        probability=said.probability,
        latency_ms=said.latency_ms,
        processor_ms=said.processor_ms,
        created_at=ctx.now,
    )
