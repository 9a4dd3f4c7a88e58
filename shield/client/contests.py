"""Contest a flagged message; list and answer contests."""

from shield.client.connection import Connection, Page, at
from shield.wire import (
    AnswerRequest,
    ContestAnswer,
    ContestRead,
    ContestRequest,
    ReceiptRequest,
)


class ContestCalls(Connection):
    """Contest a flagged message; list and answer contests."""

    def contest(self, request: ContestRequest) -> ContestAnswer:
        """Contest a flagged message. Needs no token. Only this answer contains the receipt."""
        return self._data(
            ContestAnswer, self._call("POST", "/contests", body=request, repeat=False)
        )

    def contest_answer(self, receipt: str) -> ContestAnswer:
        """Return how the contest of a receipt stands. Needs no token."""
        body = ReceiptRequest(receipt=receipt)
        return self._data(ContestAnswer, self._call("POST", "/contests/answer", body=body))

    def withdraw_contest(self, receipt: str) -> None:
        """Erase the contest of a receipt with its message. Needs no token."""
        body = ReceiptRequest(receipt=receipt)
        self._call("POST", "/contests/withdraw", body=body, repeat=False)

    def contests(self, *, limit: int = 50, cursor: str | None = None) -> Page[ContestRead]:
        """List contests, newest first (reviewers)."""
        return self._page(ContestRead, "/contests", {"limit": limit, "cursor": cursor})

    def contest_of(self, contest_id: str) -> ContestRead:
        """Return one contest (reviewers)."""
        return self._data(ContestRead, self._call("GET", at("/contests/{}", contest_id)))

    def answer_contest(self, contest_id: str, answer: str) -> ContestRead:
        """Write to the sender of a contested message (reviewers)."""
        path = at("/contests/{}/answer", contest_id)
        return self._data(ContestRead, self._call("PUT", path, body=AnswerRequest(answer=answer)))
