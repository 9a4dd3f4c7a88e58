"""Look-up of objects by a prefix of their id."""

from enum import StrEnum

from shield.wire.base import Answer


class NamedKind(StrEnum):
    """Kinds of objects with ids that people type."""

    SCAN = "scan"
    """The caller's own scans."""
    FEEDBACK = "feedback"
    CAMPAIGN = "campaign"
    KNOWN = "known"
    CONTEST = "contest"
    BATCH = "batch"
    RUN = "run"
    VERSION = "version"
    """By name, or by digest with or without `sha256:`."""
    REPORTER = "reporter"
    """By pseudonym."""
    FEED = "feed"
    """Of another deployment."""
    WEBHOOK = "webhook"
    EVENT = "event"
    """What was sent to webhooks, by its `webhook-id`."""


class NamedRead(Answer):
    """An object whose id begins with the prefix."""

    id: str
    told: str
    """Description to distinguish it, e.g. `pending, sms, 2026-11-29 12:00`."""
