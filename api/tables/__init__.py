"""All tables, imported so that the metadata is complete."""

from api.kit.database import Base
from api.kit.idempotency import RememberedAnswer
from api.kit.outbox import OutboxRow
from api.tables.audit import AuditRow
from api.tables.batches import Batch, BatchItem
from api.tables.campaigns import (
    IS_UNSORTED,
    IS_WAITING,
    Campaign,
    CampaignBand,
    CampaignFingerprint,
)
from api.tables.contests import Contest
from api.tables.device import DeviceRelease, DeviceTally
from api.tables.feedback import IS_PENDING, WAS_AGREED, Feedback
from api.tables.golden import GoldenLabel
from api.tables.inbox import Notice, PushSubscription, Revision
from api.tables.known import KnownCampaign
from api.tables.registry import LedgerRow, Version
from api.tables.review import IS_FURTHER, IS_GOLD, Review, ReviewQueue, SavedView
from api.tables.runs import Run
from api.tables.scans import ArmFailure, Comparison, Scan, ShadowScore
from api.tables.sharing import KnownFeed
from api.tables.users import PairingCode, User
from api.tables.webhooks import Webhook, WebhookDelivery, WebhookMessage

__all__ = [
    "IS_FURTHER",
    "IS_GOLD",
    "IS_PENDING",
    "IS_UNSORTED",
    "IS_WAITING",
    "WAS_AGREED",
    "ArmFailure",
    "AuditRow",
    "Base",
    "Batch",
    "BatchItem",
    "Campaign",
    "CampaignBand",
    "CampaignFingerprint",
    "Comparison",
    "Contest",
    "DeviceRelease",
    "DeviceTally",
    "Feedback",
    "GoldenLabel",
    "KnownCampaign",
    "KnownFeed",
    "LedgerRow",
    "Notice",
    "OutboxRow",
    "PairingCode",
    "PushSubscription",
    "RememberedAnswer",
    "Review",
    "ReviewQueue",
    "Revision",
    "Run",
    "SavedView",
    "Scan",
    "ShadowScore",
    "User",
    "Version",
    "Webhook",
    "WebhookDelivery",
    "WebhookMessage",
]
