"""Scan messages and report verdicts."""

from datetime import datetime
from uuid import uuid4

from shield.client.connection import Connection, Page, at
from shield.labels import FeedbackType, ScanType
from shield.routing import Arm
from shield.wire import ErasureRead, FeedbackRead, FeedbackRequest, ScanRead, ScanRequest


class ScanCalls(Connection):
    """Scan messages and report verdicts."""

    def scan(self, scan_type: ScanType, text: str, *, arm: Arm | None = None) -> ScanRead:
        """Scan one message. `arm` forces an arm of the rollout (reviewers and admins only)."""
        headers = {"X-Shield-Arm": arm.value} if arm else {}
        body = ScanRequest(scan_type=scan_type, text=text)
        return self._data(
            ScanRead, self._call("POST", "/scans", body=body, headers=headers, repeat=False)
        )

    def scans(self, *, limit: int = 50, cursor: str | None = None) -> Page[ScanRead]:
        """List the caller's scans, newest first."""
        return self._page(ScanRead, "/scans", {"limit": limit, "cursor": cursor})

    def erase_scan(self, scan_id: str) -> ErasureRead:
        """Erase one scan of the caller, with the feedback on it."""
        return self._data(ErasureRead, self._call("DELETE", at("/scans/{}", scan_id)))

    def erase_scans(self, before: datetime | None = None) -> ErasureRead:
        """Erase all scans of the caller, with the feedback on them; the account stays.

        With `before` (aware), only scans created at or before that time, by the server's clock: a
        call that is repeated later erases nothing that came meanwhile.
        """
        query = {"before": before.isoformat() if before else None}
        return self._data(ErasureRead, self._call("DELETE", "/scans", query=query))

    def send_feedback(
        self,
        scan_id: str,
        feedback_type: FeedbackType,
        *,
        actual_label: str | None = None,
        comment: str | None = None,
        idempotency_key: str | None = None,
    ) -> FeedbackRead:
        """Report whether a verdict was right.

        Raises:
            ContradictoryFeedback: The claim cannot be made of this verdict.
            UnknownLabel: `actual_label` is not a label of the model type.
            NotFound: There is no such scan of this user.
        """
        body = FeedbackRequest(
            scan_id=scan_id,
            feedback_type=feedback_type,
            actual_label=actual_label,
            comment=comment,
        )
        headers = {"Idempotency-Key": idempotency_key or str(uuid4())}
        return self._data(FeedbackRead, self._call("POST", "/feedback", body=body, headers=headers))
