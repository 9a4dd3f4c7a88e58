"""Commands that the pages name and no other test runs: each is run, against a real API."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from shield.client import ShieldClient
from shield.wire import ContestRequest
from tests.integration.api.conftest import serve
from tests.integration.api.steps import decide, report
from tests.support.api import RunningApi

SCAM = "Your parcel 4711 is held at our depot. Pay 1.99 at https://post-pay.example/a today"
SHOP = "You win a voucher with your order 4711 at our shop, see https://shop.example/v for terms"
Run = Callable[..., Any]


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    with ExitStack() as stack:
        yield serve(stack, tmp_path)


@pytest.fixture
def run(api: RunningApi, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs `shieldctl` as somebody with all roles of people, and reads its JSON."""
    token = api.token("rita", "user", "reviewer", "admin")
    there = ["--api-url", api.url, "--token", token, "--data-dir", str(tmp_path / "home"), "--json"]

    def call(*arguments: str) -> Any:
        with pytest.raises(SystemExit) as done:
            main([*there, *arguments])
        said = capsys.readouterr()
        assert done.value.code == 0, said.err
        return json.loads(said.out) if said.out.strip() else None

    return call


def test_known_campaigns_are_listed_exported_and_undone(
    api: RunningApi, run: Run, tmp_path: Path
) -> None:
    first, second = report(api, "ann", SCAM), report(api, "cat", SCAM)
    decide(api, first.id)
    decide(api, second.id, reviewer="otto")
    (entry,) = run("known", "list")
    assert (entry["standing"], entry["label"]) == ("confirmed", "spam")
    file = tmp_path / "feed.json"
    run("known", "export", "--out", str(file))
    key = json.loads(file.read_text())["publicKey"]
    read = run("known", "import", str(file), "--key", key, "--name", "Their bank")
    assert (read["added"], read["refused"], read["left"]) == (0, 0, 0), "all of it is ours"
    assert [feed["name"] for feed in run("known", "feeds")] == ["Their bank"]
    assert run("known", "undo", entry["id"], "--reason", "a mistake")["standing"] == "undone"


def test_a_report_is_sent_and_decided_by_another_person(api: RunningApi, run: Run) -> None:
    scan = run("scan", "Lunch at one?")
    sent = run("feedback", "send", scan["id"], "false_negative")
    assert run("feedback", "list")["items"] == [], "nobody decides their own report"
    otto = ["--token", api.token("otto", "reviewer")]
    (waiting,) = run(*otto, "feedback", "list")["items"]
    assert waiting["id"] == sent["id"]
    assert run(*otto, "review", "approve", sent["id"][:12])["status"] == "approved"


def test_a_feed_is_subscribed_to(run: Run) -> None:
    key = "A" * 43 + "="
    run("known", "subscribe", "https://feed.example.org/api/v2/feed", "--key", key, "--name", "x")
    (feed,) = run("known", "feeds")
    assert feed["url"] == "https://feed.example.org/api/v2/feed"


def test_contests_are_listed_shown_and_answered(api: RunningApi, run: Run) -> None:
    with ShieldClient(api.url, None) as sender:
        sender.contest(ContestRequest(text=SHOP, reason="We are the shop."))
    (contest,) = run("contest", "list")
    assert run("contest", "show", contest["id"])["reason"] == "We are the shop."
    assert run("contest", "answer", contest["id"], "Thank you.")["answer"] == "Thank you."


def test_the_audit_log_is_verified_and_runs_are_listed(run: Run) -> None:
    assert run("audit", "verify")["brokenAt"] is None
    assert run("pipeline", "list") == []


def test_phones_are_paired_and_people_invited(run: Run) -> None:
    assert run("token", "pair")["code"]
    assert "ada" in json.dumps(run("token", "invite", "ada"))


def test_a_webhook_is_added_with_its_events(run: Run) -> None:
    made = run("webhook", "add", "https://hooks.example.org/shield", "--event", "known.*")
    assert made["secret"]


def test_how_versions_are_released_is_set(run: Run) -> None:
    line = ["rollout", "set", "sms", "--step", "10:60:5", "--guard-seconds", "30", "--reason", "x"]
    run(*line)
    told = json.dumps(run("rollout", "status", "sms"))
    assert '"guardSeconds": 30' in told
    assert '"weight": 10' in told


def test_the_corpus_is_listed(run: Run) -> None:
    assert run("corpus", "list") is not None


@pytest.mark.parametrize(
    "line",
    [
        ["known", "subscribe", "https://feed.example.org/feed", "--key", "short"],
        ["known", "subscribe", "ftp://feed.example.org", "--key", "A" * 43 + "="],
        ["known", "undo", "k-1", "--reason", ""],
        ["contest", "answer", "c-1", "x" * 5000],
        ["webhook", "add", "not a url"],
        ["token", "invite", "\x00"],
        ["rollout", "undo", "sms", "--reason", ""],
        ["review", "scam", "f-1", "--notes", "x" * 50_000],
    ],
    ids=lambda line: " ".join(line[:2]),
)
def test_what_no_request_may_hold_is_told_and_is_no_fault_of_ours(
    api: RunningApi, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: list[str]
) -> None:
    there = ["--api-url", api.url, "--token", api.token("rita", "reviewer", "admin")]
    with pytest.raises(SystemExit) as done:
        main([*there, "--data-dir", str(tmp_path / "home"), *line])
    said = capsys.readouterr().err
    assert done.value.code == 1
    assert said
    assert "Internal error" not in said
