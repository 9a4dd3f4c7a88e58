"""`/review`: gold items and how reliable reviewing is."""

from fastapi import APIRouter

from api.kit.context import AdminWrite, ReviewerRead
from api.review import quality
from shield.wire import Envelope, FeedbackRead, GoldRequest, QualityRead

router = APIRouter(prefix="/review", tags=["review"])


@router.post("/gold", status_code=201)
def seed_gold(body: GoldRequest, ctx: AdminWrite) -> Envelope[FeedbackRead]:
    """Mix an item with a known answer into the queue."""
    return Envelope[FeedbackRead](message="Seeded.", data=quality.seed_gold(ctx, body))


@router.get("/quality")
def review_quality(ctx: ReviewerRead) -> Envelope[QualityRead]:
    """Return gold accuracy and Cohen's kappa of every reviewer."""
    return Envelope[QualityRead](data=quality.quality(ctx))
