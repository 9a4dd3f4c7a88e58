"""Versions side by side, over HTTP, as a page, and in a terminal."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.main import main
from shield.errors import Invalid, NotFound
from shield.labels import ModelType
from shield.wire import VersionRequest
from tests.support.api import RunningApi, running_api
from tests.support.desk import signed_in
from tests.support.history import report_of


@pytest.fixture
def two(tmp_path: Path) -> Iterator[RunningApi]:
    """An API with two versions that were evaluated, and one that was pushed by hand."""
    with running_api(tmp_path, embedded=True) as api, api.client("ann", "admin") as admin:
        for number, name in ((1, "sms-v2"), (2, "sms-v4"), (3, None)):
            key = f"reports/sms/{name}.html"
            if name is not None:
                api.services.artifacts.put(key, report_of(name))
            admin.register_version(
                ModelType.SMS,
                VersionRequest(
                    digest=f"sha256:{number:064d}",
                    uri=f"packages/sms/{number}",
                    report_uri=key if name else None,
                    metrics={"goldenDigest": f"sha256:{number}", "budget": 0.01},
                ),
            )
        yield api


def test_two_versions_are_compared_message_by_message(two: RunningApi) -> None:
    with two.client("ann", "admin") as admin:
        found = admin.compare(ModelType.SMS, "sms-v1", "sms-v2")
        assert found.messages == 400
        recall = found.sets[0].figures[0]
        assert (recall.old, recall.new) == pytest.approx((0.93, 0.96), abs=0.01)
        assert recall.won == found.won > 0
        assert {kind.name for kind in found.slices} == {"language: de", "language: en"}
        assert "[link]" in found.moved[-1].text
        assert [one.name for one in found.data] == ["golden set"]
        bare = admin.compare(ModelType.SMS, "sms-v1", "sms-v3")
        assert bare.messages == 0
        assert bare.notes == ["sms-v3 was registered without an evaluation report."]
        with pytest.raises(NotFound, match="sms-v9"):
            admin.compare(ModelType.SMS, "sms-v1", "sms-v9")


def test_the_terminal_shows_the_same(two: RunningApi, capsys: pytest.CaptureFixture[str]) -> None:
    line = ["--api-url", two.url, "--token", two.token("ann", "admin"), "model", "compare"]
    with pytest.raises(SystemExit) as done:
        main([*line, "sms-v1", "0" * 63 + "2"])  # a digest stands for its version
    assert done.value.code == 0
    told = capsys.readouterr().out
    assert "sms-v2 beside sms-v1 on 400 messages" in told
    assert "Messages that changed sides" in told
    with pytest.raises(SystemExit):
        main([*line, "sms-v1", "sms-v2", "--json"])
    assert json.loads(capsys.readouterr().out)["messages"] == 400


def test_versions_of_two_types_are_not_compared() -> None:
    from cli.comparing import model_type_of

    with pytest.raises(Invalid, match="are not of one model type"):
        model_type_of("sms-v1", "voice-v1")


def test_the_page_shows_figures_and_messages(two: RunningApi) -> None:
    with signed_in(two) as browser:
        page = browser.get("/review/models/sms/compare?old=sms-v1&new=sms-v2")
    assert page.status_code == 200
    assert "<polyline" in page.text
    assert "Messages that changed sides" in page.text
