"""All tables, imported so that the metadata is whole."""

from api.audit.models import AuditRow
from api.batches.models import Batch, BatchItem
from api.campaigns.models import Campaign, CampaignBand, CampaignFingerprint
from api.feedback.models import Feedback, User
from api.kit.database import Base
from api.kit.idempotency import RememberedAnswer
from api.registry.models import LedgerRow, Version
from api.review.models import Review
from api.runs.models import Run
from api.scans.models import ArmFailure, Scan, ShadowScore

__all__ = [
    "ArmFailure",
    "AuditRow",
    "Base",
    "Batch",
    "BatchItem",
    "Campaign",
    "CampaignBand",
    "CampaignFingerprint",
    "Feedback",
    "LedgerRow",
    "RememberedAnswer",
    "Review",
    "Run",
    "Scan",
    "ShadowScore",
    "User",
    "Version",
]
