"""Named queues: what each holds, who works in it and begins there, what the log says of it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from api.review import sorting
from api.tables import Campaign, Scan
from tests.integration.api.steps import http, report
from tests.support.api import RunningApi, running_api
from tests.support.arms import deploy, model_server
from tests.support.desk import signed_in
from tests.support.postgres import new_migrated_database

PARCEL = "Your parcel waits at customs, pay the fee of 1.99 at http://m.post-pay.example/a1"
SPANISH = "Hola mam\u00e1, este es mi nuevo n\u00famero, el otro tel\u00e9fono se ha roto"
LUNCH = "Shall we have lunch at the caf\u00e9 on Friday?"
ES, EN = {"languages": ["es"]}, {"languages": ["en"], "tactics": ["parcel-fee"]}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    """Return an API with a team, in whose queue three messages wait."""
    with (
        model_server() as arm,
        running_api(
            tmp_path,
            prepare=lambda services: deploy(services.rollouts, arm),
            review_teams={"fraud": ["otto"]},
            embedded=True,
        ) as running,
    ):
        for text in (LUNCH, PARCEL, SPANISH):
            report(running, f"user-{len(text)}", text)
            running.clock.move_on(60)
        yield running


def put(api: RunningApi, name: str, **what: Any) -> dict[str, Any]:
    with http(api, "root", "admin") as admin:
        answer = admin.put(f"/api/v2/review/queues/{name}", json=what)
        assert answer.status_code == 200, answer.text
        read: dict[str, Any] = answer.json()["data"]
        return read


def texts(api: RunningApi, **query: str) -> list[str]:
    """Return the first words of what a view shows."""
    with http(api, "rita", "reviewer") as client:
        answer = client.get("/api/v2/feedback/pending", params=query)
        assert answer.status_code == 200, answer.text
        return [item["scan"]["text"].split()[0] for item in answer.json()["data"]]


@pytest.mark.parametrize("group", ["campaign", "none"])
def test_a_queue_holds_what_waits_in_its_languages_of_its_tactics(
    api: RunningApi, group: str
) -> None:
    put(api, "Spanish", **ES)
    put(api, "English parcels", **EN)
    put(api, "All of it")
    assert texts(api, queue="Spanish", group=group) == ["Hola"]
    assert texts(api, queue="English parcels", group=group) == ["Your"]
    assert sorted(texts(api, queue="All of it", group=group)) == ["Hola", "Shall", "Your"]
    assert sorted(texts(api, queue="all", group=group)) == ["Hola", "Shall", "Your"]
    assert texts(api, queue="Spanish", language="en", group=group) == []
    assert texts(api, queue="Spanish", q="telefono") == ["Hola"]
    assert texts(api, queue="Spanish", q="lunch") == []
    with http(api, "rita", "reviewer") as client:
        assert client.get("/api/v2/feedback/pending", params={"queue": "x"}).status_code == 404


def test_the_overview_counts_each_queue_and_what_is_in_none(api: RunningApi) -> None:
    put(api, "Spanish", **ES)
    put(api, "English parcels", **EN)
    with http(api, "rita", "reviewer") as client:
        told = client.get("/api/v2/review/queues").json()["data"]
        assert {one["name"]: one["waiting"] for one in told["queues"]} == {
            "English parcels": 1,
            "Spanish": 1,
        }
        assert (told["rest"], told["unsorted"]) == (1, 0), "lunch is in none"
        oldest = {one["name"]: one["oldest"] for one in told["queues"]}
        assert oldest["English parcels"] < oldest["Spanish"]
    put(api, "All of it")
    with http(api, "rita", "reviewer") as client:
        assert client.get("/api/v2/review/queues").json()["data"]["rest"] == 0


def test_what_arrives_later_is_sorted_when_somebody_looks(api: RunningApi) -> None:
    put(api, "Spanish", **ES)
    assert texts(api, queue="Spanish") == ["Hola"]
    report(api, "luz", "Su paquete est\u00e1 retenido en la aduana, pague los gastos de env\u00edo")
    assert sorted(texts(api, queue="Spanish")) == ["Hola", "Su"]


def test_what_no_time_was_left_for_is_told_and_done_by_the_next_requests(
    api: RunningApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sorting, "MOST", 1)
    monkeypatch.setattr(sorting, "_CHUNK", 1)
    with api.services.engine.begin() as connection:
        connection.execute(update(Campaign).values(language=None, tactic=None))
    with http(api, "rita", "reviewer") as client:
        left = [client.get("/api/v2/review/queues").json()["data"]["unsorted"] for _ in range(4)]
    assert left == [2, 1, 0, 0]


def unsort(api: RunningApi) -> None:
    with api.services.engine.begin() as connection:
        connection.execute(update(Campaign).values(language=None, tactic=None))


def test_while_another_request_sorts_a_queue_shows_what_is_sorted_so_far(api: RunningApi) -> None:
    put(api, "Spanish", **ES)
    assert texts(api, queue="Spanish") == ["Hola"]
    report(api, "luz", "Su paquete est\u00e1 retenido en la aduana, pague los gastos de env\u00edo")
    with sorting._SORTING, http(api, "rita", "reviewer") as client:
        assert texts(api, queue="Spanish") == ["Hola"]
        assert client.get("/api/v2/review/queues").json()["data"]["unsorted"] == 1
    assert sorted(texts(api, queue="Spanish")) == ["Hola", "Su"]


@pytest.mark.xdist_group("postgres")
def test_readers_of_queues_need_one_connection_each(tmp_path: Path) -> None:
    """Of the pool's three connections two are taken; a second one for a reader would never come."""
    with (
        model_server() as arm,
        running_api(
            tmp_path,
            new_migrated_database(),
            prepare=lambda services: deploy(services.rollouts, arm),
            embedded=True,
            pool_size=1,
        ) as api,
    ):
        for text in (LUNCH, PARCEL, SPANISH):
            report(api, f"user-{len(text)}", text)
        put(api, "Spanish", **ES)
        unsort(api)
        engine = api.services.engine
        with engine.connect(), engine.connect(), ThreadPoolExecutor(12) as readers:
            seen = list(readers.map(lambda _: texts(api, queue="Spanish"), range(24)))
        assert all(one in ([], ["Hola"]) for one in seen)
        assert texts(api, queue="Spanish") == ["Hola"]


def test_a_message_that_cannot_be_read_keeps_no_other_from_its_queue(
    api: RunningApi, caplog: pytest.LogCaptureFixture
) -> None:
    put(api, "Spanish", **ES)
    with api.services.sessions() as session:
        (scan,) = [
            row
            for row in session.scalars(select(Scan))
            if api.services.ring.open(row.text_sealed or b"", row.id) == LUNCH
        ]
        scan.text_sealed = (scan.text_sealed or b"")[:-1] + b"?"
        session.commit()
    unsort(api)
    assert texts(api, queue="Spanish") == ["Hola"]
    assert texts(api, queue="Spanish") == ["Hola"]
    assert caplog.text.count("is in no queue of a language or tactic") == 1, "it is tried once"
    with http(api, "rita", "reviewer") as client:
        told = client.get("/api/v2/review/queues").json()["data"]
    assert (told["rest"], told["unsorted"]) == (2, 0)


def test_who_works_in_a_queue_begins_there(api: RunningApi) -> None:
    put(api, "Spanish", **ES, members=["rita"])
    put(api, "Parcels of the team", tactics=["parcel-fee"], members=["team:fraud"])
    with signed_in(api) as rita:
        page = rita.get("/review").text
        assert "Hola" in page
        assert "Shall" not in page
        everything = rita.get("/review", params={"queue": "all"}).text
        assert "Hola" in everything
        assert "Shall" in everything
        searched = rita.get("/review", params={"q": "lunch"}).text
        assert "Shall" in searched, "who asks for something in particular is asked no more"
    with http(api, "otto", "reviewer") as otto:
        told = otto.get("/api/v2/review/queues").json()["data"]["queues"]
    assert {one["name"]: one["mine"] for one in told} == {
        "Parcels of the team": True,
        "Spanish": False,
    }


def test_who_works_in_a_queue_can_be_given_items_and_sees_them_beside_it(api: RunningApi) -> None:
    put(api, "English parcels", **EN, members=["nina"])
    with http(api, "rita", "reviewer") as rita:
        items = rita.get("/api/v2/feedback/pending").json()["data"]
        spanish = next(one for one in items if one["scan"]["text"] == SPANISH)
        url = f"/api/v2/feedback/{spanish['id']}/assign"
        assert rita.post(url, json={"to": "nina"}).status_code == 200
    assert texts(api, queue="all") != []
    assert "Hola" not in texts(api)
    with http(api, "nina", "reviewer") as nina:
        mine = nina.get("/api/v2/feedback/pending", params={"assigned": "mine"}).json()["data"]
    assert [one["scan"]["text"] for one in mine] == [SPANISH]


def test_each_change_of_a_queue_is_in_the_log_with_who_came_and_went(api: RunningApi) -> None:
    put(api, "Spanish", **ES, members=["rita", "paul"], reason="two of us speak it")
    put(api, "Spanish", **ES, members=["rita", "luz"])
    with http(api, "root", "admin") as admin:
        url = "/api/v2/review/queues/Spanish/remove"
        assert admin.post(url, json={}).status_code == 422, "a reason is needed"
        assert admin.post(url, json={"reason": "merged"}).status_code == 200
        assert admin.post(url, json={"reason": "merged"}).status_code == 404
    with api.client("root", "admin") as admin:
        entries = [one for one in admin.audit().items if one.action.startswith("queue.")]
    assert [(one.action, one.subject, one.reason) for one in entries] == [
        ("queue.remove", "Spanish", "merged"),
        ("queue.set", "Spanish", ""),
        ("queue.set", "Spanish", "two of us speak it"),
    ]
    assert entries[0].details["left"] == ["luz", "rita"]
    assert (entries[1].details["joined"], entries[1].details["left"]) == (["luz"], ["paul"])
    assert entries[2].details["joined"] == ["paul", "rita"]


@pytest.mark.parametrize(
    ("name", "what", "said"),
    [
        ("All", {}, "stands for everything"),
        ("x", {"tactics": ["no-such"]}, "there is no 'no-such'"),
        ("x", {"members": ["team:nobody"]}, "there is no team 'nobody'"),
        ("x", {"languages": ["Spanish"]}, "languages"),
    ],
)
def test_a_queue_that_cannot_be_is_refused_and_says_why(
    api: RunningApi, name: str, what: dict[str, Any], said: str
) -> None:
    with http(api, "root", "admin") as admin:
        answer = admin.put(f"/api/v2/review/queues/{name}", json=what)
    assert answer.status_code == 422
    assert said in answer.text
