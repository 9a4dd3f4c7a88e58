import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx
import pytest

from cli.console import Terminal
from cli.demo.corpus import Corpus
from cli.demo.figures import Figures
from cli.demo.measure import Score
from cli.demo.people import CountingTransport
from cli.demo.traffic import Seen, loyalty
from shield.errors import Misconfigured
from shield.routing import Arm
from tests.support.http_server import Quiet, serving
from tests.support.waiting import PATIENCE_SECONDS


def write_story(directory: Path, **parts: list[str]) -> Path:
    for name in ("teach", "judge", "golden", "traffic"):
        rows = [
            {"id": f"{name}-{number}", "text": text, "label": 1, "tactic": "loans"}
            for number, text in enumerate(parts.get(name, [f"a {name} message"]))
        ]
        (directory / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    story = {"seed": 0, "tactics": [{"name": "loans", "words": ["loan", "cash"], "count": 4}]}
    (directory / "story.json").write_text(json.dumps(story))
    return directory


def test_a_story_is_read_with_its_true_labels(tmp_path: Path) -> None:
    corpus = Corpus.read(write_story(tmp_path))
    assert [message.text for message in corpus.judge] == ["a judge message"]
    assert corpus.judge[0].scam
    assert corpus.tactics == ["loan, cash (4 messages)"]


@pytest.mark.parametrize("teaching", ["teach", "traffic"])
@pytest.mark.parametrize("judging", ["judge", "golden"])
def test_a_message_that_teaches_never_judges(tmp_path: Path, teaching: str, judging: str) -> None:
    write_story(tmp_path, **{teaching: ["cheap loan now"], judging: ["cheap loan now"]})
    with pytest.raises(Misconfigured, match="both teach and judge"):
        Corpus.read(tmp_path)


def test_a_story_with_a_part_missing_names_the_part(tmp_path: Path) -> None:
    (write_story(tmp_path) / "golden.jsonl").unlink()
    with pytest.raises(Misconfigured, match=r"golden\.jsonl is missing"):
        Corpus.read(tmp_path)


def seen(user: str, *versions: str) -> list[Seen]:
    return [Seen(user, version, Arm.STABLE, at, 1.0) for at, version in enumerate(versions)]


def test_a_user_who_moves_to_the_candidate_once_is_loyal() -> None:
    kept = loyalty(seen("a", "v1", "v1", "v2", "v2") + seen("b", "v1", "v1"), "v2")
    assert (kept.users, kept.candidate_users, kept.back_and_forth) == (2, 1, 0)


def test_a_user_who_falls_back_from_the_candidate_is_counted() -> None:
    assert loyalty(seen("a", "v2", "v1") + seen("b", "v2", "v2"), "v2").back_and_forth == 1


def figures() -> Figures:
    before, after = Score("sms-v1", 50, 20, 400, 4), Score("sms-v2", 50, 45, 400, 5)
    return Figures(
        seed=7,
        tactic=[before, after],
        golden=[before, after],
        requests=1000,
        rollback_ms=41.27,
        seconds={"train": 61.234},
        versions={"before": "sms-v1", "after": "sms-v2", "serving": "sms-v1"},
    )


def test_the_report_has_exactly_the_promised_keys() -> None:
    document = figures().document()
    assert document.keys() == {
        "recall_new_tactic",
        "golden_accuracy",
        "golden_fpr",
        "known",
        "requests",
        "failed_requests",
        "rollback_ms",
        "seconds",
        "versions",
        "seed",
    }
    assert document["recall_new_tactic"] == {"before": 0.4, "after": 0.9}
    assert document["golden_fpr"] == {"before": 0.01, "after": 0.0125}
    assert document["golden_accuracy"]["before"] == (20 + 396) / 450


def test_a_story_without_a_release_has_true_figures_and_says_how_it_ended(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = figures()
    told.ending, told.rollback_ms = "refused", None
    told.tactic, told.golden = told.tactic[:1], told.golden[:1]
    told.versions = {"before": "sms-v1", "after": "sms-v3", "serving": "sms-v1"}
    document = told.document()
    assert document["ending"] == "refused"
    assert document["rollback_ms"] is None
    assert document["recall_new_tactic"] == {"before": 0.4, "after": 0.4}
    Terminal().answer({}, told.table(), told.facts())
    text = capsys.readouterr().out
    assert "40.0%" in text
    assert "points" not in text
    assert "sms-v1, then sms-v3 (refused), at the end sms-v1" in text
    told.versions = {"before": "sms-v1", "serving": "sms-v1"}
    Terminal().answer({}, told.facts())
    assert "no new one (refused)" in capsys.readouterr().out


def test_the_report_is_written_whole_into_a_folder_that_is_made(tmp_path: Path) -> None:
    figures().write(tmp_path / "new" / "report.json")
    assert json.loads((tmp_path / "new" / "report.json").read_text())["seed"] == 7


class Answer(Quiet, BaseHTTPRequestHandler):
    """Answers each POST with the status that its path names."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        self.send_response(int(self.path.split("/")[1]))
        self.send_header("Content-Length", "0")
        self.end_headers()


@pytest.fixture
def url() -> Iterator[str]:
    with serving(Answer) as origin:
        yield origin


@pytest.mark.parametrize(
    ("path", "failed"),
    [
        ("/201/scans", 0),
        ("/429/scans", 1),
        ("/503/scans", 1),
        ("/409/feedback", 0),
        ("/500/feedback", 1),
    ],
)
def test_failed_requests_are_counted_as_users_feel_them(url: str, path: str, failed: int) -> None:
    transport = CountingTransport()
    httpx.Client(transport=transport, timeout=PATIENCE_SECONDS).post(url + path)
    assert (transport.requests, len(transport.failures)) == (1, failed)
    transport.hang_up()


def test_no_answer_at_all_is_a_failed_request() -> None:
    transport = CountingTransport()
    with pytest.raises(httpx.ConnectError):
        httpx.Client(transport=transport, timeout=PATIENCE_SECONDS).post("http://127.0.0.1:1/scans")
    assert (transport.requests, len(transport.failures)) == (1, 1)
