"""`/models/{modelType}/drift`: the daily counts that the drift watch tests."""

from fastapi import APIRouter

from api.drift import service
from api.kit.context import TrainerRead
from shield.labels import ModelType
from shield.wire import DriftFacts, Envelope

router = APIRouter(prefix="/models/{model_type}", tags=["registry"])


@router.get("/drift")
def drift(model_type: ModelType, ctx: TrainerRead) -> Envelope[DriftFacts]:
    """Return the daily counts of the champion since its release."""
    return Envelope[DriftFacts](data=service.facts(ctx, model_type))
