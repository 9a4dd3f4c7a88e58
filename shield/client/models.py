"""Register, read and compare versions."""

from shield.client.connection import Connection, at
from shield.labels import ModelType, ScanType
from shield.wire import (
    DeviceVersionCounts,
    DriftFacts,
    LedgerEntry,
    ReasonRequest,
    VersionRead,
    VersionRequest,
)
from shield.wire.comparison import VersionComparison


class ModelCalls(Connection):
    """Register, read and compare versions."""

    def register_version(self, model_type: ModelType, version: VersionRequest) -> VersionRead:
        """Register a package as a version. The same digest gets the same name.

        Raises:
            AlreadyExists: The digest is registered with other content.
        """
        return self._data(
            VersionRead, self._call("POST", at("/models/{}/versions", model_type), body=version)
        )

    def versions(self, model_type: ModelType) -> list[VersionRead]:
        """List all versions, oldest first."""
        return self._all(VersionRead, at("/models/{}/versions", model_type), {})

    def version(self, model_type: ModelType, name: str) -> VersionRead:
        """Return one version."""
        return self._data(
            VersionRead, self._call("GET", at("/models/{}/versions/{}", model_type, name))
        )

    def compare(self, model_type: ModelType, old: str, new: str) -> VersionComparison:
        """Compare two versions on the messages that both were evaluated on."""
        path = at("/models/{}/versions/{}/compare/{}", model_type, old, new)
        return self._data(VersionComparison, self._call("GET", path))

    def reinstate(self, model_type: ModelType, name: str, reason: str) -> VersionRead:
        """Allow a refused, rejected or tainted version to be proposed again (admins)."""
        path = at("/models/{}/versions/{}/reinstate", model_type, name)
        return self._data(VersionRead, self._call("POST", path, body=ReasonRequest(reason=reason)))

    def champion(self, model_type: ModelType) -> VersionRead:
        """Return the version that is stable now. Raises `NotFound` if there is none."""
        return self._data(VersionRead, self._call("GET", at("/models/{}/champion", model_type)))

    def ledger(self, model_type: ModelType) -> list[LedgerEntry]:
        """List all transitions of a model type, oldest first."""
        return self._all(LedgerEntry, at("/models/{}/ledger", model_type), {})

    def drift_facts(self, model_type: ModelType) -> DriftFacts:
        """Return the daily counts since the champion's release. Raises `NotFound`."""
        return self._data(DriftFacts, self._call("GET", at("/models/{}/drift", model_type)))

    def device_counts(self, scan_type: ScanType = ScanType.TEXT) -> list[DeviceVersionCounts]:
        """Return each version's scans on phones, and how often the server disagreed."""
        answer = self._call("GET", at("/device/{}/counts", scan_type))
        return [DeviceVersionCounts.model_validate(row) for row in answer["data"]]

    def taint(self, model_type: ModelType, name: str, reason: str) -> VersionRead:
        """Taint a version and its descendants: none can be proposed again (admins)."""
        path = at("/models/{}/versions/{}/taint", model_type, name)
        return self._data(VersionRead, self._call("POST", path, body=ReasonRequest(reason=reason)))
