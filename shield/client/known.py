"""List and undo known campaigns."""

from pydantic import TypeAdapter

from shield.client.connection import Connection, Page, at
from shield.labels import ModelType
from shield.wire import (
    FeedRead,
    FeedRequest,
    Imported,
    KnownRead,
    KnownStanding,
    ReasonRequest,
    SignedFeed,
)


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
        return self._data(KnownRead, self._call("GET", at("/known/{}", known_id)))

    def undo_known(self, known_id: str, reason: str) -> KnownRead:
        """Undo a known campaign: it matches no messages from now on."""
        body = ReasonRequest(reason=reason)
        return self._data(
            KnownRead,
            self._call("POST", at("/known/{}/undo", known_id), body=body, repeat=False),
        )

    def known_feed(self) -> SignedFeed:
        """Return the signed feed of confirmed scam campaigns, for another deployment."""
        return self._data(SignedFeed, self._call("GET", "/known/feed"))

    def feeds(self) -> list[FeedRead]:
        """List the feeds of other deployments that are trusted here."""
        answer = self._call("GET", "/known/feeds")
        return TypeAdapter(list[FeedRead]).validate_python(answer["data"])

    def add_feed(self, request: FeedRequest) -> FeedRead:
        """Trust the key of another deployment (admins)."""
        return self._data(FeedRead, self._call("POST", "/known/feeds", body=request, repeat=False))

    def remove_feed(self, feed_id: str) -> FeedRead:
        """Stop trusting a feed and end its entries (admins)."""
        path = at("/known/feeds/{}", feed_id)
        return self._data(FeedRead, self._call("DELETE", path, repeat=False))

    def import_feed(self, signed: SignedFeed) -> Imported:
        """Import a feed whose key is trusted (admins)."""
        path = "/known/feeds/import"
        return self._data(Imported, self._call("POST", path, body=signed))
