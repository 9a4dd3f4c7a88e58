"""Trace corrections, find ids, and read the audit log."""

from pydantic import TypeAdapter

from shield.client.connection import Connection, Page, at
from shield.labels import ModelType
from shield.wire import (
    AuditCheck,
    AuditEntry,
    LineageKind,
    LineageRead,
    NamedKind,
    NamedRead,
    ReasonRequest,
)


class RecordCalls(Connection):
    """Trace corrections, find ids, and read the audit log."""

    def lineage(self, kind: LineageKind, name: str) -> LineageRead:
        """Return every version that was trained on a feedback, reporter, campaign or batch."""
        return self._data(LineageRead, self._call("GET", at("/lineage/{}/{}", kind, name)))

    def withdraw(self, kind: LineageKind, name: str, reason: str) -> LineageRead:
        """Withdraw poisoned corrections from all snapshots (admins)."""
        body = ReasonRequest(reason=reason)
        answer = self._call("POST", at("/lineage/{}/{}/withdraw", kind, name), body=body)
        return self._data(LineageRead, answer)

    def names(
        self, kind: NamedKind, prefix: str, *, model_type: ModelType | None = None
    ) -> list[NamedRead]:
        """Return the objects of a kind whose id begins with `prefix`, at most nine."""
        query = {"prefix": prefix, "modelType": model_type}
        answer = self._call("GET", at("/names/{}", kind), query=query)
        return TypeAdapter(list[NamedRead]).validate_python(answer["data"])

    def audit(
        self, *, limit: int = 50, cursor: str | None = None, action: str | None = None
    ) -> Page[AuditEntry]:
        """List the audit log, newest first; with `action` only entries of that action."""
        query = {"limit": limit, "cursor": cursor, "action": action}
        return self._page(AuditEntry, "/audit", query)

    def audit_verify(self, head: str | None = None) -> AuditCheck:
        """Verify the audit log's hash chain; `head` is an earlier hash that it must contain."""
        return self._data(AuditCheck, self._call("GET", "/audit/verify", query={"head": head}))
