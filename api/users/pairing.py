"""Pairing codes: short, single-use and valid for minutes.

A link with a token could be forwarded and used by others until the token expires. A pairing code is
invalid after its first use.
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
"""Crockford's alphabet, without letters that look like digits."""
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
    """Redeem a code and return the user id of its account.

    Raises:
        Unauthenticated: The code is unknown, used or expired.
    """
    subject = ctx.session.scalar(
        delete(PairingCode)
        .where(PairingCode.code_hash == _hash(code), PairingCode.expires_at > ctx.now)
        .returning(PairingCode.user_id)
    )
    if subject is None:
        raise Unauthenticated(
            "This code is not valid: a code works once, within five minutes. Ask for a new one."
        )
    return str(subject)


def _hash(code: str) -> str:
    return hashlib.sha256(code.upper().translate(_MISREAD).encode()).hexdigest()
