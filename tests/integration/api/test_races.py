"""What happens at the same moment: taps, first messages, edits, decisions, erasures."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import func, select

from api.feedback import service as feedback
from api.kit.auth import Principal
from api.kit.context import Context, open_context
from api.kit.idempotency import once_beyond
from api.kit.tokens import Role
from api.privacy import erasure
from api.review import decisions
from api.tables import Campaign, CampaignFingerprint, Feedback
from api.users import pairing
from shield.errors import (
    AlreadyReviewed,
    Conflict,
    IdempotencyKeyReused,
    ShieldError,
    Unauthenticated,
    Unavailable,
)
from shield.labels import FeedbackType
from shield.wire import FeedbackRequest, ReasonRequest, ReviewAction, ReviewRequest
from tests.integration.api.steps import decide, report, scan
from tests.support.api import RunningApi
from tests.support.waiting import PATIENCE_SECONDS

ANN = Principal("ann", frozenset({Role.USER}))
RITA = Principal("rita", frozenset({Role.REVIEWER}))


def rows(api: RunningApi, model: type[Any]) -> int:
    with api.services.sessions() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """Run everything at the same moment; return what came back, errors of ours included."""
    gate = threading.Barrier(len(works))

    def one(work: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return work()
        except ShieldError as error:
            return error

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(one, works))


def while_open(
    api: RunningApi, who: Principal, first: Callable[[Context], Any], then: Callable[[], Any]
) -> Any:
    """Do `first`, let `then` begin before `first` is committed, and return what `then` meets."""
    met: list[Any] = []

    def other() -> None:
        try:
            met.append(then())
        except ShieldError as error:
            met.append(error)

    thread = threading.Thread(target=other)
    with open_context(api.services, who) as ctx:
        first(ctx)
        thread.start()
        time.sleep(0.3)
        assert met == [], "it waits for the first one to end"
    thread.join(PATIENCE_SECONDS)
    return met[0]


@pytest.mark.parametrize("keys", [("k", "k", "k", "k"), ("a", "b", "c", "d"), (None,) * 4])
def test_taps_at_the_same_moment_are_one_report(
    api: RunningApi, keys: tuple[str | None, ...]
) -> None:
    own = scan(api, "ann", "a parcel waits for you")

    def tap(key: str | None) -> Any:
        with api.client("ann") as client:
            return client.send_feedback(own.id, FeedbackType.FALSE_NEGATIVE, idempotency_key=key)

    answers = at_once(*(lambda key=key: tap(key) for key in keys))
    assert len({answer.id for answer in answers}) == 1
    assert rows(api, Feedback) == 1
    with api.services.sessions() as session:
        assert session.scalars(select(Campaign.pending)).all() == [1]


def test_the_same_message_first_reported_by_several_at_once_is_one_campaign(
    api: RunningApi,
) -> None:
    users = [f"user{number}" for number in range(6)]
    own = {user: scan(api, user, "Claim your prize 4711 today") for user in users}

    def send(user: str) -> Any:
        with api.client(user) as client:
            return client.send_feedback(own[user].id, FeedbackType.CONFIRMED)

    answers = at_once(*(lambda user=user: send(user) for user in users))
    assert len({answer.campaign_id for answer in answers}) == 1
    assert (rows(api, Campaign), rows(api, CampaignFingerprint), rows(api, Feedback)) == (1, 1, 6)
    with api.services.sessions() as session:
        found = session.scalars(select(Campaign)).one()
        assert (found.pending, found.reports) == (6, 6)


def test_a_claim_is_not_changed_under_the_decision_that_is_being_made(api: RunningApi) -> None:
    item = report(api, "ann", "a parcel waits for you")
    change = FeedbackRequest(scan_id=item.scan_id, feedback_type=FeedbackType.CONFIRMED)

    def edit() -> Any:
        with open_context(api.services, ANN) as ctx:
            return feedback.submit(ctx, change, None)

    approve = ReviewRequest(action=ReviewAction.APPROVE)
    met = while_open(api, RITA, lambda ctx: decisions.decide(ctx, item.id, approve), edit)
    assert isinstance(met, AlreadyReviewed)
    with api.services.sessions() as session:
        row = session.get_one(Feedback, item.id)
        assert (row.status, row.corrected_label) == ("approved", "spam")


def test_a_decision_is_refused_when_the_reporter_has_changed_what_the_reviewer_saw(
    api: RunningApi,
) -> None:
    item = report(api, "ann", "a parcel waits for you")
    with api.client("ann") as client:
        client.send_feedback(item.scan_id, FeedbackType.CONFIRMED)
    with api.client("rita", "reviewer") as rita:
        with pytest.raises(Conflict, match="it says ham now"):
            rita.review(item.id, ReviewAction.APPROVE, seen_label="spam")
        assert rita.review(item.id, ReviewAction.APPROVE, seen_label="ham").status == "approved"


def test_a_report_that_is_sent_while_its_person_is_erased_is_erased_with_them(
    api: RunningApi,
) -> None:
    own = scan(api, "ann", "a parcel waits for you")
    request = FeedbackRequest(scan_id=own.id, feedback_type=FeedbackType.FALSE_NEGATIVE)

    def erase() -> Any:
        with open_context(api.services, ANN) as ctx:
            return erasure.erase(ctx, "ann")

    erased = while_open(api, ANN, lambda ctx: feedback.submit(ctx, request, None), erase)
    assert (erased.scans, erased.feedback) == (1, 1)
    assert rows(api, Feedback) == 0


def test_work_beyond_the_database_is_done_once_however_often_its_key_comes(
    api: RunningApi,
) -> None:
    done: list[str] = []

    def call(reason: str, key: str, then: Callable[[], None] = lambda: None) -> ReasonRequest:
        body = ReasonRequest(reason=reason)

        def work() -> ReasonRequest:
            done.append(reason)
            then()
            return body

        with open_context(api.services, RITA) as ctx:
            return once_beyond(
                ctx, route="POST /x", key=key, body=body, kind=ReasonRequest, work=work
            )

    def again() -> None:
        with pytest.raises(Unavailable, match="still running"):
            call("bad model", "k-1")

    first = call("bad model", "k-1", again)
    assert call("bad model", "k-1") == first
    assert done == ["bad model"]
    with pytest.raises(IdempotencyKeyReused):
        call("another reason", "k-1")

    def fail() -> None:
        raise Conflict("there is nothing to go back to")

    with pytest.raises(Conflict, match="nothing to go back"):
        call("too early", "k-2", fail)
    call("too early", "k-2")
    assert done == ["bad model", "too early", "too early"]


def test_an_undone_decision_leaves_the_campaign_as_the_one_before_left_it(api: RunningApi) -> None:
    text = "Your parcel 4711 is held. Pay 1.99 today"
    decide(api, report(api, "ann", text).id, reviewer="otto")
    second = report(api, "bob", text, FeedbackType.CONFIRMED)
    decide(api, second.id)  # rita takes it for harmless
    with api.client("rita", "reviewer") as rita:
        rita.undo_review(second.id, "misread")
        (waiting,) = rita.pending().items
    assert waiting.proposal is not None
    assert waiting.proposal.action == "reject"
    assert waiting.proposal.why.startswith("otto found messages like it to be spam")


def test_of_two_invitations_to_one_account_one_is_good(api: RunningApi) -> None:
    with api.client("root", "admin") as root:
        codes = [root.invite("ben").code for _ in range(2)]

    def redeem(code: str) -> str:
        with open_context(api.services, ANN) as ctx:
            return pairing.redeem(ctx, code)

    met = while_open(api, ANN, lambda ctx: pairing.redeem(ctx, codes[0]), lambda: redeem(codes[1]))
    assert isinstance(met, Unauthenticated)


def test_of_two_uses_of_one_invitation_one_is_good(api: RunningApi) -> None:
    with api.client("root", "admin") as root:
        code = root.invite("ben").code

    def redeem() -> str:
        with open_context(api.services, ANN) as ctx:
            return pairing.redeem(ctx, code)

    answers = at_once(*(redeem,) * 4)
    assert sorted(map(str, answers)).count("ben") == 1
