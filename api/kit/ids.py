"""Ids that sort by creation time."""

import secrets
from datetime import UTC, datetime


def new_id(now: datetime) -> str:
    """Return a UUIDv7 as 32 hex digits: 48 bits of milliseconds, 74 random bits (RFC 9562)."""
    milliseconds = int(now.timestamp() * 1000)
    value = (milliseconds & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return f"{value:032x}"


def first_id(moment: datetime) -> str:
    """Return the least id that `new_id` could make at or after a moment, in milliseconds."""
    return f"{int(moment.timestamp() * 1000):012x}" + "0" * 20


def time_of(made: str) -> datetime:
    """Return when an id was made, to the millisecond."""
    return datetime.fromtimestamp(int(made[:12], 16) / 1000, UTC)
