"""The promotion ledger: records transitions of rollouts and updates the versions' status."""

from collections.abc import Set

from sqlalchemy import select

from api.audit import service as audit
from api.kit.context import Context
from api.kit.database import lock
from api.kit.ids import new_id
from api.kit.paging import PageRequest, Sorted, fetch_page
from api.registry.service import FINAL
from api.tables import LedgerRow, Version
from shield.crds.v1alpha1 import Transition, VersionRef
from shield.errors import AlreadyExists, Conflict, NotFound
from shield.labels import ModelType
from shield.wire import LedgerEntry, Pagination, TransitionRequest

_BECOMES = {
    "install": "deployed",
    "start": "testing",
    "step": "testing",
    "pause": "testing",
    "resume": "testing",
    "promote": "deployed",
    "reject": "rejected",
    "undo": "rolled_back",
    "abort": "candidate",
    "reinstate": "candidate",
}
"""Status of a version after a transition."""


def page(
    ctx: Context, model_type: ModelType, paging: PageRequest
) -> tuple[list[LedgerEntry], Pagination]:
    """Return one page of transitions, oldest first."""
    query = select(LedgerRow).where(LedgerRow.model_type == model_type.value)
    order = Sorted(LedgerRow.id, LedgerRow.id, kind=str)
    rows, pagination = fetch_page(ctx.session, query, order, paging)
    return [LedgerEntry.model_validate(row) for row in rows], pagination


def record(ctx: Context, model_type: ModelType, request: TransitionRequest) -> LedgerEntry:
    """Append a transition to the ledger. Idempotent by (uid, sequence).

    A reported transition is checked against the rollout itself, and the rollout's data is stored.
    No transition changes a final status.

    Raises:
        AlreadyExists: The ledger has another transition with this uid and sequence.
        Conflict: The rollout has made no such transition, or was replaced by another one.
    """
    done, current = _shown(ctx, model_type, request)
    lock(ctx.session, f"ledger {model_type}")
    known = ctx.session.scalar(
        select(LedgerRow).where(
            LedgerRow.rollout_uid == request.rollout_uid, LedgerRow.sequence == request.sequence
        )
    )
    if known is not None:
        if (known.action, known.version) != (request.action, request.version.name):
            raise AlreadyExists(
                f"Transition {request.sequence} of rollout {request.rollout_uid} is already "
                f"{known.action} {known.version}; the ledger is append-only."
            )
        return LedgerEntry.model_validate(known)
    previous = done.previous.name if done.previous else None
    row = LedgerRow(
        id=new_id(ctx.now),
        model_type=model_type.value,
        action=done.action,
        version=done.version.name,
        previous_version=previous,
        at=done.at,
        actor=ctx.user,
        reason=done.reason,
        rollout_uid=request.rollout_uid,
        sequence=done.sequence,
        evidence=done.evidence.model_dump(mode="json") if done.evidence else {},
    )
    ctx.session.add(row)
    if current:
        _mark(ctx, model_type, done)
    audit.record(
        ctx,
        f"rollout.{done.action}",
        done.version.name,
        done.reason,
        previous=previous,
        rollout=request.rollout_uid,
        sequence=done.sequence,
    )
    return LedgerEntry.model_validate(row)


def _shown(
    ctx: Context, model_type: ModelType, request: TransitionRequest
) -> tuple[Transition, bool]:
    """Return the transition as recorded in the rollout, and whether the rollout still has it.

    A rollout's status keeps only the latest transitions. An older one that is reported late, after
    a long outage of the API, is stored as reported and changes no version.
    """
    told = Transition.model_validate(request.model_dump(exclude={"rollout_uid"}))
    try:
        rollout = ctx.services.rollouts.get(model_type.value)
    except NotFound as error:
        raise Conflict(f"Nothing of {model_type} was ever rolled out. Nothing is recorded.") from (
            error
        )
    if rollout.uid != request.rollout_uid:
        raise Conflict(
            f"{request.rollout_uid!r} is not the rollout of {model_type}, which is {rollout.uid}. "
            "Nothing is recorded."
        )
    history = rollout.status.history
    shown = next((done for done in history if done.sequence == told.sequence), None)
    if shown is None and history and 0 < told.sequence < history[0].sequence:
        return told, False
    if shown is None or _facts(shown) != _facts(told):
        raise Conflict(
            f"The rollout of {model_type} has made no transition {told.sequence} "
            f"({told.action} {told.version.name}). Nothing is recorded; its status says what it "
            "has done (`shieldctl rollout status`)."
        )
    return shown, True


def _facts(transition: Transition) -> tuple[object, ...]:
    return (
        transition.action,
        transition.version,
        transition.previous,
        transition.at,
        transition.reason,
    )


def _mark(ctx: Context, model_type: ModelType, done: Transition) -> None:
    lifted = {"rejected", "rolled_back"} if done.action == "reinstate" else set[str]()
    version = _changeable(ctx, model_type, done.version, lifted)
    if version is not None:
        version.status = _BECOMES[done.action]
        if done.action in ("install", "promote"):
            version.deployed_at = done.at
    other = _changeable(ctx, model_type, done.previous) if done.previous else None
    if other is None:
        return
    if done.action == "promote":
        other.status = "retired"
    elif done.action == "undo":
        other.status = "deployed"
        other.deployed_at = done.at


def _changeable(
    ctx: Context, model_type: ModelType, ref: VersionRef, lifted: Set[str] = frozenset()
) -> Version | None:
    """Return the registered version of a transition, unless its status is final."""
    version = ctx.session.get(Version, ref.name)
    if version is None or version.model_type != model_type.value or version.digest != ref.digest:
        return None
    return None if version.status in FINAL - lifted else version
