"""Web Push: phones that are woken when there is a notice."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import StringConstraints

from shield.crds.base import Wire
from shield.wire.base import Answer


class PushKind(StrEnum):
    """What a phone is woken for. With the id of the notice it is all that a call contains."""

    WARNING = "warning"
    """A message that was called harmless is a scam."""
    NEWS = "news"
    """Any other notice."""


class PushKeys(Wire):
    """The keys of a browser's push subscription, in base64url."""

    p256dh: Annotated[str, StringConstraints(max_length=128, pattern=r"^[A-Za-z0-9_=-]+$")]
    auth: Annotated[str, StringConstraints(max_length=64, pattern=r"^[A-Za-z0-9_=-]+$")]


class PushRequest(Wire):
    """A browser's push subscription (`PushSubscription.toJSON()`, without `expirationTime`)."""

    endpoint: Annotated[str, StringConstraints(min_length=1, max_length=2000, pattern=r"^[!-~]+$")]
    keys: PushKeys


class PushPhone(Answer):
    """A phone that is woken."""

    id: str
    service: str
    """Host of its push service."""
    created_at: datetime


class PushRead(Answer):
    """Whether phones can be woken, and which of the caller's are."""

    public_key: str | None
    """`applicationServerKey` to subscribe with; null if Web Push is off."""
    phones: list[PushPhone]
