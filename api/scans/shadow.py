"""Score scans by a shadow candidate, after the answer, and store the result as evidence."""

from functools import partial

from api.kit.auth import Principal
from api.kit.context import Context, Services, open_context
from api.kit.counters import FAILURES
from api.kit.ids import new_id
from api.kit.routing import Failure, Prediction
from api.sampling import service as sampling
from api.tables import ArmFailure, Scan, ShadowScore, User
from shield.labels import ModelType


def copy_later(ctx: Context, scan: Scan, text: str) -> None:
    """Once the scan is kept, let a shadow candidate score a copy; the user does not wait for it."""
    model_type = ModelType(scan.model_type)
    keep = partial(_keep, ctx.services, ctx.principal, scan.id, text)
    ctx.after_commit.append(lambda: ctx.services.router.shadow_later(model_type, text, keep))


def failed(ctx: Context, model_type: ModelType, failure: Failure) -> ArmFailure:
    """Return the record of a request that a version should have answered."""
    FAILURES.labels(model_type.value, failure.version, failure.arm.value).inc()
    return ArmFailure(
        id=new_id(ctx.now),
        model_type=model_type.value,
        model_version=failure.version,
        arm=failure.arm.value,
        kind=failure.kind,
        at=ctx.now,
    )


def _keep(
    services: Services, principal: Principal, scan_id: str, text: str, said: Prediction | Failure
) -> None:
    """Store a shadow's answer; where it differs from the verdict, queue the scan for review."""
    with open_context(services, principal) as ctx:
        scan = ctx.session.get(Scan, scan_id)
        if scan is None:  # erased meanwhile
            return
        if isinstance(said, Failure):
            ctx.session.add(failed(ctx, ModelType(scan.model_type), said))
            return
        ctx.session.add(
            ShadowScore(
                scan_id=scan.id,
                model_version=said.version,
                verdict=said.label,
                positive=said.positive,
                probability=said.probability,
                latency_ms=said.latency_ms,
                processor_ms=said.processor_ms,
                created_at=ctx.now,
            )
        )
        user = ctx.session.get(User, scan.user_id)
        if said.label != scan.verdict and user is not None:
            sampling.disagree(ctx, scan, text, user)
