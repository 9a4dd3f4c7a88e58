"""Manage webhooks and their deliveries."""

from pydantic import TypeAdapter

from shield.client.connection import Connection, Page, at
from shield.wire import (
    DeliveryOutcome,
    DeliveryRead,
    Replayed,
    ReplayRequest,
    WebhookRead,
    WebhookRequest,
)


class WebhookCalls(Connection):
    """Manage webhooks and their deliveries."""

    def webhooks(self) -> list[WebhookRead]:
        """List webhooks (admins)."""
        answer = self._call("GET", "/webhooks")
        return TypeAdapter(list[WebhookRead]).validate_python(answer["data"])

    def add_webhook(self, request: WebhookRequest) -> WebhookRead:
        """Add a webhook (admins). Only this answer contains its secret."""
        return self._data(WebhookRead, self._call("POST", "/webhooks", body=request, repeat=False))

    def remove_webhook(self, webhook_id: str) -> WebhookRead:
        """Remove a webhook (admins)."""
        path = at("/webhooks/{}", webhook_id)
        return self._data(WebhookRead, self._call("DELETE", path, repeat=False))

    def test_webhook(self, webhook_id: str) -> DeliveryRead:
        """Send a test event now; return its delivery (admins)."""
        path = at("/webhooks/{}/test", webhook_id)
        return self._data(DeliveryRead, self._call("POST", path, repeat=False))

    def deliveries(
        self,
        webhook_id: str,
        *,
        outcome: DeliveryOutcome | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page[DeliveryRead]:
        """List what was sent to a webhook, newest first (admins)."""
        query = {"outcome": outcome, "limit": limit, "cursor": cursor}
        return self._page(DeliveryRead, at("/webhooks/{}/deliveries", webhook_id), query)

    def replay_webhook(self, webhook_id: str, request: ReplayRequest) -> int:
        """Send events again (admins); return their number."""
        path = at("/webhooks/{}/replay", webhook_id)
        return self._data(Replayed, self._call("POST", path, body=request, repeat=False)).sent
