"""Codes that connect a phone: single-use, valid for minutes or, of an invitation, for days.

A link with a token could be forwarded and used by others until the token expires. A code is invalid
after its first use.
"""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete

from api.audit import service as audit
from api.kit.context import Context
from api.tables import PairingCode, User
from api.users.service import begin_user
from shield.errors import Conflict, Unauthenticated
from shield.wire import InvitationRequest, PairingRead

LIFETIME = timedelta(minutes=5)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's alphabet, without letters that look like digits."""
_LENGTH = 10
_INVITATION_LENGTH = 20
"""Longer: it is valid for days, and is sent as a link instead of being typed."""
_GROUP = 5
_MISREAD = str.maketrans("OIL", "011", "- ")


def issue(ctx: Context) -> PairingRead:
    """Return a code that connects one phone to the caller's account."""
    return _keep(ctx, ctx.user, _LENGTH, LIFETIME)


def invite(ctx: Context, request: InvitationRequest) -> PairingRead:
    """Return a code that connects one phone to a new account.

    Raises:
        Conflict: The account is in use; its owner connects further phones. An admin must not get at
            somebody's messages by inviting them.
    """
    if ctx.session.get(User, request.subject) is not None:
        raise Conflict(
            f"{request.subject!r} uses the app already, and connects another phone with a code of "
            "their own. Invite somebody new, or choose another name."
        )
    issued = _keep(ctx, request.subject, _INVITATION_LENGTH, timedelta(days=request.days))
    # Without a name: an erasure could not take it out of the log.
    audit.record(ctx, "user.invite", _mark(issued.code), days=request.days)
    return issued


def _keep(ctx: Context, subject: str, length: int, lifetime: timedelta) -> PairingRead:
    ctx.session.execute(delete(PairingCode).where(PairingCode.expires_at <= ctx.now))
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(length))
    expires = ctx.now + lifetime
    ctx.session.add(PairingCode(code_hash=_hash(letters), user_id=subject, expires_at=expires))
    groups = [letters[at : at + _GROUP] for at in range(0, length, _GROUP)]
    return PairingRead(code="-".join(groups), subject=subject, expires_at=expires)


def redeem(ctx: Context, code: str) -> str:
    """Redeem a code and return the user id of its account.

    Raises:
        Unauthenticated: The code is unknown, used or expired.
    """
    subject = ctx.session.scalar(
        delete(PairingCode)
        .where(PairingCode.code_hash == _hash(code), PairingCode.expires_at > ctx.now)
        .returning(PairingCode.user_id)
    )
    invited = len(_plain(code)) == _INVITATION_LENGTH
    # An account's first row decides: two invitations to it may be redeemed at the same time.
    if subject is None or (invited and not begin_user(ctx, subject)):
        raise Unauthenticated(
            "This code is not valid: a code works once, and for a limited time. Ask for a new one."
        )
    if invited:
        # From now on nobody else can be invited to it.
        user = ctx.session.get_one(User, subject)
        audit.record(ctx, "user.join", user.pseudonym, invitation=_mark(code))
    return str(subject)


def _hash(code: str) -> str:
    return hashlib.sha256(_plain(code).encode()).hexdigest()


def _mark(code: str) -> str:
    """Return a name for a code that does not reveal it."""
    return _hash(code)[:12]


def _plain(code: str) -> str:
    return code.upper().translate(_MISREAD)
