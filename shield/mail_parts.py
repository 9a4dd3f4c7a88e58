"""Open a mail within limits: a mail is a stranger's, and may be made to cost its reader hours.

The phone has the same limits (`api/pages/assets/src/app/mail/limits.ts`), so that both read the
same mails. They are checked before anything is parsed, except the depth, which is checked on the
way down.
"""

import email.parser
import email.policy
import re
from email.message import Message

from shield.errors import TooLarge

MOST_BYTES = 500_000
"""Of a longer mail the beginning is read: attachments, which make mails long, follow the text."""
MOST_LINES = 20_000
MOST_PARTS = 1_000
"""Lines that begin as the boundary of a part does; some are none."""
DEEPEST_MAILS = 5
"""Mails in mails in mails: nobody reads on there."""
DEEPEST_PARTS = 20
"""Parts in parts of one mail."""
_BOUNDARY = re.compile(rb"(?:^|[\r\n])--")
_TOO_MUCH = (
    "This mail has more {what} than are read: {most}. Copy the words that its reader sees, and "
    "scan them as a text."
)


class _Part(Message):
    """A part that knows how deep it is, and refuses to go deeper while it is parsed."""

    mails = 0
    depth = 0

    def attach(self, payload: Message) -> None:  # type: ignore[override]
        """Take over a part, as the parser does with each that it begins."""
        if isinstance(payload, _Part):
            inside = self.get_content_maintype() == "message"
            payload.mails = self.mails + inside
            payload.depth = 0 if inside else self.depth + 1
            if payload.mails > DEEPEST_MAILS:
                raise _too_much("mails in mails", DEEPEST_MAILS)
            if payload.depth > DEEPEST_PARTS:
                raise _too_much("parts in parts", DEEPEST_PARTS)
        super().attach(payload)


def opened(raw: bytes) -> Message:
    """Parse the beginning of a mail (`MOST_BYTES`), with all its parts.

    Raises:
        TooLarge: It has too many lines or parts, or they are in one another too deeply.
    """
    start = raw[:MOST_BYTES]
    lines = start.count(b"\n") + start.count(b"\r") - start.count(b"\r\n")
    if lines > MOST_LINES:
        raise _too_much("lines", MOST_LINES)
    if sum(1 for _ in _BOUNDARY.finditer(start)) > MOST_PARTS:
        raise _too_much("parts", MOST_PARTS)
    # compat32 never raises on what a sender has broken.
    return email.parser.BytesParser(_Part, policy=email.policy.compat32).parsebytes(start)


def _too_much(what: str, most: int) -> TooLarge:
    return TooLarge(_TOO_MUCH.format(what=what, most=f"{most:,}"))
