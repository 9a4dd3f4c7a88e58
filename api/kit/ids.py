"""Ids that sort by creation time."""

import secrets
from datetime import datetime


def new_id(now: datetime) -> str:
    """Return a UUIDv7 as 32 hex digits: 48 bits of milliseconds, 74 random bits (RFC 9562)."""
    milliseconds = int(now.timestamp() * 1000)
    value = (milliseconds & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return f"{value:032x}"
