"""Decide reports, and read what the decisions show."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

from shield.client.connection import Connection, Page, at
from shield.labels import ModelType
from shield.wire import (
    Decision,
    DisputedLabels,
    DisputesRead,
    FeedbackRead,
    GoldRequest,
    PendingItem,
    QualityRead,
    ReviewAction,
    ReviewedLabel,
    ReviewRequest,
    StatsRead,
    UndoRequest,
)


class ReviewCalls(Connection):
    """Decide reports, and read what the decisions show."""

    def pending(
        self, *, model_type: ModelType | None = None, limit: int = 50, cursor: str | None = None
    ) -> Page[PendingItem]:
        """List undecided feedback, the most valuable first (reviewers)."""
        query = {"modelType": model_type, "limit": limit, "cursor": cursor}
        return self._page(PendingItem, "/feedback/pending", query)

    def review(
        self,
        feedback_id: str,
        decision: ReviewAction | Decision,
        notes: str | None = None,
        *,
        scope: Literal["item", "campaign"] = "item",
        shown: Sequence[str] | None = None,
        seen_label: str | None = None,
        tactic: str | None = None,
        reason: str | None = None,
    ) -> FeedbackRead:
        """Decide one item, or with `scope="campaign"` the items of its campaign that were shown.

        Args:
            feedback_id: Id of the item.
            decision: What the message is, or a `ReviewAction` on the claim about it.
            notes: The reviewer's explanation.
            scope: Whether the decision covers the item alone or its campaign.
            shown: With `scope="campaign"`: ids of the items that the reviewer saw
                (`item.campaign.shown`). Default: the items with the same text.
            seen_label: The corrected label that the reviewer saw; refused if it has changed since.
            tactic: Id of a tactic from the book of scams, if the message is a scam.
            reason: A reason from the team's list, if it has one.

        Raises:
            AlreadyReviewed: The item is decided; the message names the reviewer.
            Conflict: The reporter has changed the claim since it was shown.
            Forbidden: The item is the reviewer's own report.
        """
        body = ReviewRequest(
            action=decision if isinstance(decision, ReviewAction) else None,
            decision=decision if isinstance(decision, Decision) else None,
            tactic=tactic,
            reason=reason,
            notes=notes,
            scope=scope,
            shown=list(shown) if shown is not None else None,
            corrected_label=seen_label,
        )
        # Not retried: after a lost answer the retry would get a 409 about its own decision.
        return self._data(
            FeedbackRead,
            self._call("PUT", at("/feedback/{}", feedback_id), body=body, repeat=False),
        )

    def undo_review(self, feedback_id: str, reason: str | None = None) -> FeedbackRead:
        """Undo a decision, within the time that allows it."""
        body = UndoRequest(reason=reason)
        return self._data(
            FeedbackRead,
            self._call("POST", at("/feedback/{}/undo", feedback_id), body=body, repeat=False),
        )

    def stats(self, *, model_type: ModelType | None = None) -> StatsRead:
        """Return counts, rates and the five metrics of feedback."""
        return self._data(
            StatsRead, self._call("GET", "/feedback/stats", query={"modelType": model_type})
        )

    def export(
        self, form: Literal["json", "csv"] = "json", *, since: datetime | None = None
    ) -> bytes:
        """Return approved corrections as the bytes of a JSON or CSV file."""
        query = {"format": form, "since": since.isoformat() if since else None}
        return self._request("GET", "/feedback/export", query=query).content

    def quality(self) -> QualityRead:
        """Return the reviewers' accuracy on gold items and their agreement with each other."""
        return self._data(QualityRead, self._call("GET", "/review/quality"))

    def seed_gold(self, gold: GoldRequest) -> FeedbackRead:
        """Add an item with a known answer to the review queue (admins)."""
        return self._data(FeedbackRead, self._call("POST", "/review/gold", body=gold, repeat=False))

    def ask_for_golden_labels(self, disputed: DisputedLabels) -> DisputesRead:
        """Put golden messages into the queue whose label every model contradicts (pipeline)."""
        return self._data(DisputesRead, self._call("POST", "/review/golden", body=disputed))

    def reviewed_golden_labels(self, model_type: ModelType) -> list[ReviewedLabel]:
        """Return what reviewers have found golden messages to be (pipeline)."""
        answer = self._call("GET", at("/review/golden/{}", model_type))
        return [ReviewedLabel.model_validate(row) for row in answer["data"]]
