"""Open a mail within limits: a mail is a stranger's, and may be made to cost its reader hours.

The phone has the same limits (`api/pages/assets/src/app/mail/limits.ts`), so that both read the
same mails. They are checked before anything is parsed, except the depth and the headers of each
part, which are checked on the way down.
"""

import email.parser
import re
from email.message import Message
from typing import Any

from shield.errors import TooLarge
from shield.mail_headers import ShortHeaders, parameter

MOST_BYTES = 500_000
"""Of a longer mail the beginning is read: attachments, which make mails long, follow the text."""
MOST_LINES = 20_000
MOST_PARTS = 1_000
"""Lines that begin as the boundary of a part does; some are none."""
MOST_HEADERS = 1_000
"""Of one part: each header that is looked up is looked for among all."""
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
    """A part that knows how deep it is, and refuses to go deeper while it is parsed.

    The parser asks it for its type, boundary and charset, too.
    """

    mails = 0
    depth = 0

    def get_content_type(self) -> str:
        """Return the type; a delivery status is a mail, as on the phone.

        The parser would make a part of each of its lines that is empty, whatever `MOST_PARTS`.
        """
        kind = super().get_content_type()
        return "message/rfc822" if kind == "message/delivery-status" else kind

    def get_param(
        self, param: str, failobj: Any = None, header: str = "content-type", unquote: bool = True
    ) -> Any:
        """Return a parameter as text; what cannot be read is none, and raises nothing."""
        held = parameter(self, param, header)
        return failobj if held is None else held

    def set_raw(self, name: str, value: str) -> None:
        """Take over a header, as the parser does with each that it reads."""
        if len(self) >= MOST_HEADERS:
            raise _too_much("headers in a part", MOST_HEADERS)
        super().set_raw(name, value)

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
        TooLarge: It has too many lines, headers or parts, or they are in one another too deeply.
    """
    start = raw[:MOST_BYTES]
    lines = start.count(b"\n") + start.count(b"\r") - start.count(b"\r\n")
    if lines > MOST_LINES:
        raise _too_much("lines", MOST_LINES)
    if sum(1 for _ in _BOUNDARY.finditer(start)) > MOST_PARTS:
        raise _too_much("parts", MOST_PARTS)
    return email.parser.BytesParser(_Part, policy=ShortHeaders()).parsebytes(start)


def _too_much(what: str, most: int) -> TooLarge:
    return TooLarge(_TOO_MUCH.format(what=what, most=f"{most:,}"))
