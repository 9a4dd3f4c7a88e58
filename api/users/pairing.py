"""Pairing codes: short enough for a QR code or a thumb, good once and for minutes.

A link with a token can be kept, forwarded and used by others for as long as the token lives. A code
is worth nothing once a phone has used it.
"""

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete

from api.kit.context import Context
from api.tables import PairingCode
from shield.errors import Unauthenticated
from shield.wire import PairingRead

LIFETIME = timedelta(minutes=5)
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's: no letters that are taken for digits."""
_LENGTH = 10
_MISREAD = str.maketrans("OIL", "011", "- ")


def issue(ctx: Context) -> PairingRead:
    """Return a code that connects one phone to the caller's account."""
    ctx.session.execute(delete(PairingCode).where(PairingCode.expires_at <= ctx.now))
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
    expires = ctx.now + LIFETIME
    ctx.session.add(PairingCode(code_hash=_hash(letters), user_id=ctx.user, expires_at=expires))
    return PairingRead(code=f"{letters[:5]}-{letters[5:]}", subject=ctx.user, expires_at=expires)


def redeem(ctx: Context, code: str) -> str:
    """Use a code up, and return whose account it is.

    Raises:
        Unauthenticated: There is no such code, it was used, or it is too old.
    """
    subject = ctx.session.scalar(
        delete(PairingCode)
        .where(PairingCode.code_hash == _hash(code), PairingCode.expires_at > ctx.now)
        .returning(PairingCode.user_id)
    )
    if subject is None:
        raise Unauthenticated(
            "This code is not valid any more: it is good once, for five minutes. Ask for a new one."
        )
    return str(subject)


def _hash(code: str) -> str:
    return hashlib.sha256(code.upper().translate(_MISREAD).encode()).hexdigest()
