"""Finding things by the beginning of their id."""

from enum import StrEnum

from shield.wire.base import Answer


class NamedKind(StrEnum):
    """What has an id that people type."""

    SCAN = "scan"
    """One's own."""
    FEEDBACK = "feedback"
    CAMPAIGN = "campaign"
    KNOWN = "known"
    CONTEST = "contest"
    BATCH = "batch"
    RUN = "run"
    VERSION = "version"
    """By its name, or by its digest with or without `sha256:`."""


class NamedRead(Answer):
    """One thing whose id begins as asked."""

    id: str
    told: str
    """What tells it from others, e.g. `pending, sms, 2026-11-29 12:00`."""
