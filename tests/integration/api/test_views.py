"""Looking through the queue: search, filters, order, assignments, muting, saved views."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from api.kit.paging import encode
from api.review import search
from shield.labels import FeedbackType, ScanType
from shield.wire import Decision, GoldRequest, ReviewAction
from tests.integration.api.steps import http, report
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server

PARCEL = "Your parcel waits at customs, pay the fee of 1.99 at http://m.post-pay.example/a1"
SPANISH = "Hola mam\u00e1, este es mi nuevo n\u00famero, el otro tel\u00e9fono se ha roto"
LUNCH = "Shall we have lunch at the caf\u00e9 on Friday?"


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApi]:
    """Return an API with a team, in whose queue three messages wait, one of them of a campaign."""
    folder: Path = tmp_path_factory.mktemp("views")
    with (
        model_server() as arm,
        running_api(
            folder,
            prepare=lambda services: deploy(services.rollouts, arm),
            review_teams={"fraud": ["otto"]},
        ) as running,
    ):
        report(running, "ann", LUNCH)
        running.clock.move_on(3600)
        for number in range(3):
            report(running, f"parcel-{number}", PARCEL.replace("1.99", f"{number}.50"))
        running.clock.move_on(3600)
        report(running, "sam", SPANISH)
        yield running


def test_searches_of_one_reviewer_at_the_same_time_are_bounded(api: RunningApi) -> None:
    with ExitStack() as running, http(api, "rita", "reviewer") as client:
        for _ in range(3):
            running.enter_context(search.SEARCHES.present("rita", "searches"))
        many = {"group": "campaign", "q": "parcel"}
        refused = client.get("/api/v2/feedback/pending", params=many)
        assert (refused.status_code, refused.json()["type"]) == (429, "/problems/rate-limited")
        plain = client.get("/api/v2/feedback/pending", params={"group": "campaign"})
        assert plain.status_code == 200, "the queue itself opens one page alone"
    assert texts(api, q="parcel") == ["Your"]


def texts(api: RunningApi, who: str = "rita", *roles: str, **query: Any) -> list[str]:
    """Return the first words of what a view shows."""
    with http(api, who, *(roles or ("reviewer",))) as client:
        answer = client.get("/api/v2/feedback/pending", params={"group": "campaign", **query})
        assert answer.status_code == 200, answer.text
        return [item["scan"]["text"].split()[0] for item in answer.json()["data"]]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "PARCEL fee"}, ["Your"]),
        ({"q": "cafe lun"}, ["Shall"]),
        ({"q": "2.50"}, ["Your"]),  # in another message of the campaign than the first
        ({"q": "telefono"}, ["Hola"]),
        ({"q": "parcel lunch"}, []),
        ({"language": "es"}, ["Hola"]),
        ({"host": "post-pay.example"}, ["Your"]),
        ({"host": "pay.example"}, []),
        ({"tactic": "parcel-fee"}, ["Your"]),
        ({"older_hours": "2"}, ["Shall"]),
        ({"newer_hours": "1", "language": "es"}, ["Hola"]),
        ({"second": "1"}, []),
        ({"sort": "oldest"}, ["Shall", "Your", "Hola"]),
        ({"sort": "largest", "limit": 1}, ["Your"]),
    ],
)
def test_a_view_shows_what_it_asks_for(
    api: RunningApi, query: dict[str, Any], found: list[str]
) -> None:
    assert texts(api, **query) == found


@pytest.mark.parametrize("sort", ["rank", "oldest", "largest"])
@pytest.mark.parametrize("words", [{}, {"q": "o"}])
def test_pages_of_one_show_each_line_once(
    api: RunningApi, sort: str, words: dict[str, str]
) -> None:
    seen: list[str] = []
    cursor: dict[str, str] = {}
    with http(api, "rita", "reviewer") as client:
        for _ in range(6):
            query = {"group": "campaign", "limit": "1", "sort": sort, **words, **cursor}
            page = client.get("/api/v2/feedback/pending", params=query).json()
            seen += [item["id"] for item in page["data"]]
            if page["pagination"]["nextCursor"] is None:
                break
            cursor = {"cursor": page["pagination"]["nextCursor"]}
    assert len(seen) == len(set(seen)) == 3


@pytest.mark.parametrize("words", [{}, {"q": "o"}])
def test_pages_by_number_hold_what_pages_by_cursor_do(
    api: RunningApi, words: dict[str, str]
) -> None:
    pages = [texts(api, sort="oldest", limit=2, page=number, **words) for number in (1, 2, 3)]
    assert pages == [["Shall", "Your"], ["Hola"], []]


@pytest.mark.parametrize("sort", ["rank", "oldest", "largest"])
@pytest.mark.parametrize("key", ["x", 1e300, -1, ""])
def test_a_cursor_that_is_none_is_refused(api: RunningApi, sort: str, key: object) -> None:
    query = {"group": "campaign", "sort": sort, "cursor": encode([key, "a" * 32])}
    with http(api, "rita", "reviewer") as client:
        answer = client.get("/api/v2/feedback/pending", params=query)
    assert answer.status_code in {200, 404}, answer.text


def test_a_search_is_in_the_log_without_its_words(api: RunningApi) -> None:
    texts(api, q="parcel")
    with api.client("root", "admin") as admin:
        entry = admin.audit(action="message.search").items[0]
    assert entry.details == {"by": ["q"], "examined": 3, "found": 1}
    assert entry.actor == "rita"


def test_which_version_answered_is_for_admins_until_it_is_decided(api: RunningApi) -> None:
    with http(api, "rita", "reviewer") as client:
        answer = client.get("/api/v2/feedback/pending", params={"version": "sms-v1"})
        assert answer.status_code == 403
        assert "without knowing which version" in answer.json()["detail"]
        query = {"version": "sms-v1", "state": "decided"}
        assert client.get("/api/v2/feedback/pending", params=query).status_code == 200
    assert len(texts(api, "root", "admin", version="sms-v1")) == 3
    assert texts(api, "root", "admin", version="sms-v2") == []


def ids(api: RunningApi) -> dict[str, str]:
    with api.client("rita", "reviewer") as rita:
        return {item.scan.text.split()[0]: item.id for item in rita.pending()}


def test_what_is_given_to_a_team_leaves_the_others_queues(api: RunningApi) -> None:
    url = f"/api/v2/feedback/{ids(api)['Your']}/assign"
    with http(api, "rita", "reviewer") as rita:
        for wrong in ("team:nobody", "ottto"):
            assert rita.post(url, json={"to": wrong}).status_code == 422
        assert rita.post(url, json={"to": "team:fraud", "reason": "parcels"}).status_code == 200
    assert "Your" not in texts(api)
    assert texts(api, assigned="team:fraud") == ["Your"]
    assert "Your" in texts(api, "otto")
    assert texts(api, "otto", assigned="mine") == ["Your"]
    with http(api, "otto", "reviewer") as otto:
        assert otto.post(url, json={"to": "rita"}).status_code == 422  # she has reviewed nothing
        assert otto.post(url, json={}).status_code == 200
    assert "Your" in texts(api)
    with api.client("root", "admin") as admin:
        entries = admin.audit(action="feedback.assign").items
    assert [entry.details["to"] for entry in entries] == ["nobody", "team:fraud"]
    assert entries[1].details["covered"] == 3, "all that waits of its campaign"


def test_a_muted_reporter_is_left_out_and_comes_back(api: RunningApi) -> None:
    item = ids(api)["Hola"]
    with http(api, "rita", "reviewer") as rita:
        url = f"/api/v2/feedback/{item}/mute"
        assert rita.post(url, json={"days": 7}).status_code == 422, "a reason is needed"
        muted = rita.post(url, json={"days": 7, "reason": "floods us"}).json()["data"]
        assert muted["waiting"] == 1
        assert texts(api, language="es") == []
        assert texts(api, muted="1") == ["Hola"]
        assert rita.get("/api/v2/review/muted").json()["data"][0] == muted
        back = f"/api/v2/review/muted/{muted['pseudonym']}/unmute"
        assert rita.post(back, json={"reason": "enough"}).status_code == 200
        assert rita.post(back, json={"reason": "enough"}).status_code == 404
    assert texts(api, language="es") == ["Hola"]
    with api.client("root", "admin") as admin:
        entries = [one for one in admin.audit().items if one.action.startswith("reporter.")]
    assert [(one.action, one.subject, one.reason) for one in entries] == [
        ("reporter.unmute", muted["pseudonym"], "enough"),
        ("reporter.mute", muted["pseudonym"], "floods us"),
    ]


def test_what_was_decided_is_found_and_a_gold_item_looks_like_the_rest(api: RunningApi) -> None:
    with api.client("root", "admin") as admin:
        gold = admin.seed_gold(
            GoldRequest(
                scan_type=ScanType.TEXT,
                text="A golden prize is yours",
                verdict="spam",
                feedback_type=FeedbackType.FALSE_POSITIVE,
                answer=ReviewAction.REJECT,
            )
        )
    plain = report(api, "pia", "A plain prize is yours", FeedbackType.CONFIRMED)
    with api.client("rita", "reviewer") as rita:
        for item in (gold.id, plain.id):
            rita.review(item, Decision.SCAM)
    with http(api, "rita", "reviewer") as client:
        query = {"state": "decided", "q": "prize"}
        rows = client.get("/api/v2/feedback/pending", params=query).json()["data"]
    assert {row["id"] for row in rows} == {gold.id, plain.id}
    assert {row["reviewedBy"] for row in rows} == {"rita"}
    assert "pending" not in {row["status"] for row in rows}
    assert texts(api, "otto", state="decided", q="golden") == []
