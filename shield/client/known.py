"""List and undo known campaigns."""

from urllib.parse import quote

from shield.client.connection import Connection, Page
from shield.labels import ModelType
from shield.wire import KnownRead, KnownStanding, ReasonRequest


class KnownCalls(Connection):
    """List and undo known campaigns."""

    def known(
        self,
        *,
        standing: KnownStanding | None = None,
        model_type: ModelType | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[KnownRead]:
        """List known campaigns, newest first."""
        query = {"standing": standing, "modelType": model_type, "limit": limit, "cursor": cursor}
        return self._page(KnownRead, "/known", query)

    def known_campaign(self, known_id: str) -> KnownRead:
        """Return one known campaign."""
        return self._data(KnownRead, self._call("GET", f"/known/{quote(known_id)}"))

    def undo_known(self, known_id: str, reason: str) -> KnownRead:
        """Undo a known campaign: it matches no messages from now on."""
        body = ReasonRequest(reason=reason)
        return self._data(
            KnownRead,
            self._call("POST", f"/known/{quote(known_id)}/undo", body=body, repeat=False),
        )
