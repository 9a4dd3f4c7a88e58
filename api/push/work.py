"""Wake phones by the outbox: retried while it is worth it, and never twice for what was read."""

import json
import logging
import random
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from api.inbox.notices import POSTMAN
from api.kit.context import Context, Services, open_context
from api.kit.counters import PUSHES
from api.kit.outbox import Job, Later
from api.push.keys import PushKey, push_key
from api.push.sending import Pushed, send
from api.push.service import opened
from api.tables import Notice, PushSubscription, Scan
from shield.errors import Invalid
from shield.labels import ModelType, is_positive
from shield.wire import NoticeKind, PushKind, PushRequest

logger = logging.getLogger("api.push")

KEPT_SECONDS = 3 * 86400.0
"""How long a call is tried, and kept by the push service for a phone that is off. Then the inbox
tells it alone."""
_GONE = (404, 410)
"""Answers for a phone that has unsubscribed (RFC 8030)."""
_SHORTEST_SECONDS, _LONGEST_SECONDS = 5.0, 3600.0
"""Pauses between attempts; each is as long as all before it."""
_REST_SECONDS = 30.0
"""How long a push service is left alone that has just not answered: others must not wait for it."""


@dataclass(frozen=True)
class _Call:
    """What a job asks for."""

    phone: PushRequest
    payload: bytes
    age_seconds: float


class _Resting:
    """Push services of which this process knows that they do not answer just now."""

    def __init__(self) -> None:
        self._until: dict[str, datetime] = {}
        self._lock = threading.Lock()

    def left_seconds(self, host: str, now: datetime) -> float:
        with self._lock:
            left = (self._until.get(host, now) - now).total_seconds()
        return left if left <= _LONGEST_SECONDS else 0.0  # else the clock was set back

    def rest(self, host: str, now: datetime, seconds: float) -> None:
        with self._lock:
            self._until = {each: until for each, until in self._until.items() if until > now}
            self._until[host] = now + timedelta(seconds=min(seconds, _LONGEST_SECONDS))


_resting = _Resting()


def wake(services: Services, job: Job) -> None:
    """Wake one phone for one notice. No transaction is open while the push service answers."""
    key = push_key(services.settings)
    if key is None:
        return
    with open_context(services, POSTMAN) as ctx:
        call = _call(ctx, key, job)
    if call is None:
        return
    host = urlsplit(call.phone.endpoint).netloc
    if (left := _resting.left_seconds(host, services.clock())) > 0:
        raise Later(_spread(max(left, 1.0)))
    try:
        came = send(
            key,
            call.phone,
            call.payload,
            services.clock(),
            ttl_seconds=KEPT_SECONDS - call.age_seconds,
            networks=services.settings.push_networks,
            timeout_seconds=services.settings.webhook_timeout_seconds,
        )
    except Invalid as fault:
        came = Pushed(status=400, said=fault.message)
    _settle(services, job, host, call, came)


def _call(ctx: Context, key: PushKey, job: Job) -> _Call | None:
    """Return what to send, or `None` if there is nothing to say any more."""
    row = ctx.session.get(PushSubscription, job.subject)
    notice = ctx.session.get(Notice, job.facts["notice"])
    if row is None or notice is None or notice.user_id != row.user_id:
        return None
    if row.server_key != key.public:
        ctx.session.delete(row)  # made for a former key: no push service takes ours for it
        return None
    age = (ctx.now - notice.created_at).total_seconds()
    if notice.read_at is not None or notice.superseded or age >= KEPT_SECONDS:
        return None
    phone = opened(ctx, row)
    if phone is None:
        return None  # the inbox tells it alone
    payload = {"kind": _kind(ctx, notice).value, "notice": notice.id}
    return _Call(phone, json.dumps(payload).encode(), max(age, 0.0))


def _kind(ctx: Context, notice: Notice) -> PushKind:
    scan, label = ctx.session.get(Scan, notice.scan_id), notice.facts["found"]
    if notice.kind != NoticeKind.REVISED or scan is None or label is None:
        return PushKind.NEWS
    return PushKind.WARNING if is_positive(ModelType(scan.model_type), label) else PushKind.NEWS


def _settle(services: Services, job: Job, host: str, call: _Call, came: Pushed) -> None:
    """Count an attempt, and end or repeat it."""
    if came.status is not None and 200 <= came.status < 300:
        PUSHES.labels("delivered").inc()
    elif came.status in _GONE:
        PUSHES.labels("gone").inc()
        with open_context(services, POSTMAN) as ctx:
            row = ctx.session.get(PushSubscription, job.subject)
            if row is not None and opened(ctx, row) == call.phone:
                ctx.session.delete(row)
    elif came.status is None or came.status == 429 or came.status >= 500:
        PUSHES.labels("failed").inc()
        pause = min(max(call.age_seconds, _SHORTEST_SECONDS), _LONGEST_SECONDS)
        pause = max(pause, min(came.retry_after_seconds, _LONGEST_SECONDS))
        rest = max(min(pause, _REST_SECONDS), came.retry_after_seconds)
        _resting.rest(host, services.clock(), rest)
        raise Later(_spread(pause))
    else:
        PUSHES.labels("refused").inc()
        # The path is a secret of the phone's.
        logger.warning("%s does not take calls for a phone: %s", host, came.said)


def _spread(seconds: float) -> float:
    return seconds * random.uniform(1.0, 1.2)
