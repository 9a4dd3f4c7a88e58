"""Read and change the caller's own account and inbox."""

from collections.abc import Sequence

from shield.client.connection import Connection
from shield.wire import (
    ErasureRead,
    InboxRead,
    InvitationRequest,
    MeRead,
    MeUpdate,
    PairingRead,
    ReadMarks,
    Unread,
)


class UserCalls(Connection):
    """Read and change the caller's own account and inbox."""

    def me(self) -> MeRead:
        """Return the caller's account data."""
        return self._data(MeRead, self._call("GET", "/users/me"))

    def set_consent(self, audit_consent: bool) -> MeRead:
        """Give or withdraw consent to the audit sample."""
        body = MeUpdate(audit_consent=audit_consent)
        return self._data(MeRead, self._call("PUT", "/users/me", body=body))

    def pairing_code(self) -> PairingRead:
        """Return a code that connects one phone to the caller's account (reviewers, admins)."""
        return self._data(PairingRead, self._call("POST", "/users/me/pairing", repeat=False))

    def invite(self, subject: str, days: int = 7) -> PairingRead:
        """Return a code that connects one phone to a new account, once (admins)."""
        body = InvitationRequest(subject=subject, days=days)
        return self._data(
            PairingRead, self._call("POST", "/users/invitations", body=body, repeat=False)
        )

    def erase_me(self) -> ErasureRead:
        """Erase the caller's account; the answer names the versions trained on its messages."""
        return self._data(ErasureRead, self._call("DELETE", "/users/me", repeat=False))

    def inbox(
        self, *, after: str | None = None, limit: int = 50, cursor: str | None = None
    ) -> InboxRead:
        """Return the caller's notices, newest first; with `after` only newer ones."""
        query = {"after": after, "limit": limit, "cursor": cursor}
        return self._data(InboxRead, self._call("GET", "/inbox", query=query))

    def mark_read(self, ids: Sequence[str] = (), *, up_to: str | None = None) -> int:
        """Mark notices as read; return the number still unread."""
        marks = ReadMarks(ids=list(ids), up_to=up_to)
        return self._data(Unread, self._call("POST", "/inbox/read", body=marks)).unread
