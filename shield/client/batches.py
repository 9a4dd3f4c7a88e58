"""Lease approved corrections for a training run."""

from shield.client.connection import Connection, at
from shield.labels import ModelType
from shield.wire import (
    AckRequest,
    BatchRead,
    BatchStatus,
    LeaseRequest,
    LeaseResult,
    ReleaseRequest,
    RenewRequest,
)


class BatchCalls(Connection):
    """Lease approved corrections for a training run."""

    def lease_batch(
        self,
        model_type: ModelType,
        run_id: str,
        *,
        minimum: int = 50,
        lease_seconds: float = 3600,
    ) -> LeaseResult:
        """Lease the approved corrections. Idempotent: the same run gets the same batch."""
        body = LeaseRequest(
            model_type=model_type, run_id=run_id, minimum=minimum, lease_seconds=lease_seconds
        )
        return self._data(LeaseResult, self._call("POST", "/batches/lease", body=body))

    def renew_batch(self, batch_id: str, run_id: str, lease_seconds: float = 3600) -> BatchRead:
        """Extend a lease. Raises `LeaseLost` if it has ended."""
        body = RenewRequest(run_id=run_id, lease_seconds=lease_seconds)
        return self._data(
            BatchRead, self._call("POST", at("/batches/{}/renew", batch_id), body=body)
        )

    def ack_batch(self, batch_id: str, run_id: str, version: str) -> BatchRead:
        """Acknowledge that `version` was trained on the batch. Idempotent."""
        body = AckRequest(run_id=run_id, version=version)
        return self._data(BatchRead, self._call("POST", at("/batches/{}/ack", batch_id), body=body))

    def release_batch(self, batch_id: str, run_id: str, reason: str) -> BatchRead:
        """Release the corrections for a later run. Idempotent."""
        body = ReleaseRequest(run_id=run_id, reason=reason)
        return self._data(
            BatchRead, self._call("POST", at("/batches/{}/release", batch_id), body=body)
        )

    def batches(
        self, *, model_type: ModelType | None = None, status: BatchStatus | None = None
    ) -> list[BatchRead]:
        """List all batches, oldest first."""
        query = {"modelType": model_type, "status": status}
        return self._all(BatchRead, "/batches", query)
