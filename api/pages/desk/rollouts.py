"""`/review/rollouts`: serving versions, the candidate's evidence, and controls with a reason."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from api.kit.context import Context
from api.kit.tokens import Role
from api.pages.desk.pages import render
from api.pages.visitor import CheckedForm, Reading, Who, Writing
from api.rollouts import service
from shield.crds.evidence import ArmEvidence, PairedEvidence
from shield.crds.v1alpha1 import Condition, ModelRollout, Phase
from shield.labels import ModelType
from shield.metrics import wilson_interval
from shield.paired import Paired, bounds
from shield.rollouts.evidence import subjects

router = APIRouter(prefix="/review/rollouts")

_STEER: dict[str, Callable[[Context, ModelType, str], Any]] = {
    "pause": service.pause,
    "resume": service.resume,
    "promote": service.promote,
    "abort": service.abort,
    "undo": service.undo,
}


@dataclass(frozen=True)
class ArmShown:
    """The evidence about one version of a trial."""

    name: str
    version: str
    seen: ArmEvidence
    rate: float | None
    low: float
    high: float


@dataclass(frozen=True)
class Card:
    """One rollout on the page."""

    rollout: ModelRollout
    weight: int | None
    """Share of users on the candidate, in percent; `None` before the first deployment."""
    arms: list[ArmShown]
    ceiling: float
    """Right end of the drawn intervals."""
    concerns: list[Condition]
    paired: PairedEvidence
    """Comparison of both versions on the same messages."""
    low: float
    """Lower bound of the difference in error rates, candidate minus stable."""
    high: float
    """Upper bound of this difference."""


@router.get("")
def show(request: Request, visitor: Who, ctx: Reading) -> Response:
    """Show all rollouts."""
    return render(request, visitor, "rollouts.html", cards=_cards(ctx))


@router.get("/live")
def live(request: Request, visitor: Who, ctx: Reading) -> Response:
    """Return the cards as a fragment, polled by an open page."""
    return render(request, visitor, "rollout_cards.html", cards=_cards(ctx))


@router.post("/{model_type}/{action}", dependencies=[CheckedForm])
def steer(
    model_type: ModelType,
    action: Literal["pause", "resume", "promote", "abort", "undo"],
    ctx: Writing,
    reason: Annotated[str, Form(min_length=1, max_length=1024)],
) -> Response:
    """Pause, resume, promote, abort or undo (admins); the reason is recorded in the ledger."""
    ctx.principal.require(Role.ADMIN)
    _STEER[action](ctx, model_type, reason.strip())
    return RedirectResponse("/review/rollouts", 303)


def _cards(ctx: Context) -> list[Card]:
    return [_card(ctx, rollout) for rollout in service.listing(ctx)]


def _card(ctx: Context, rollout: ModelRollout) -> Card:
    status = rollout.status
    trial = subjects(status)
    arms: list[ArmShown] = []
    paired = PairedEvidence()
    if trial is not None:
        evidence = service.evidence(ctx, rollout.spec.model_type)
        paired = evidence.paired
        in_guard = status.candidate is None
        names = ("Before", "Promoted") if in_guard else ("Stable", "Candidate")
        arms = [
            _arm(names[0], trial.stable.name, evidence.stable),
            _arm(names[1], trial.candidate.name, evidence.candidate),
        ]
    pairs = Paired(paired.weight, paired.better, paired.worse, paired.undecided)
    low, high = bounds(pairs, rollout.spec.analysis.alpha)
    highest = max((arm.high for arm in arms), default=1.0)
    return Card(
        rollout,
        round(status.split.weight) if status.split else None,
        arms,
        min(1.0, max(0.01, highest)),
        [
            one
            for one in status.conditions
            if (one.type == "Degraded" and one.status == "True")
            or (one.type == "Available" and one.status != "True")
            # What waits for somebody, or for quicker answers, says how it ends.
            or (one.type == "Progressing" and status.phase is Phase.PAUSED)
            or (one.type == "Progressing" and one.reason == "AwaitingEvidence")
        ],
        paired,
        low,
        high,
    )


def _arm(name: str, version: str, evidence: ArmEvidence) -> ArmShown:
    low, high = wilson_interval(evidence.verdict_errors, evidence.exposures)
    rate = evidence.verdict_errors / evidence.exposures if evidence.exposures else None
    return ArmShown(name, version, evidence, rate, low, high)
