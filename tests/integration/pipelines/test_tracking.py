"""Versions in a real MLflow: what is mirrored, once, and never at a run's cost."""

import json
import logging
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from components.shared.tracking import mirrored
from shield.labels import ModelType
from shield.wire import VersionRead, VersionStatus
from tests.support.mlflow import mlflow_server
from tests.support.packages import linear_package
from tests.support.waiting import PATIENCE_SECONDS

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def version() -> VersionRead:
    return VersionRead(
        name="sms-v7",
        model_type=ModelType.SMS,
        digest=f"sha256:{'d' * 64}",
        uri="packages/sms/d",
        parent="sms-v6",
        batches=["sms-00ff00ff00ff00ff"],
        run_id="weekly-sms-1",
        metrics={"goldenRecall": 0.91, "gate": {"slices": "passed"}, "warnings": ["few"]},
        status=VersionStatus.REFUSED,
        refusal="slices: German fell",
        created_at=NOW,
    )


def test_a_version_is_mirrored_once_with_figures_report_and_package(
    tmp_path: Path, version: VersionRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = linear_package(tmp_path / "package").package
    report = tmp_path / "r.html"
    report.write_text("<h1>Refused</h1>")
    (tmp_path / "server").mkdir()
    with mlflow_server(tmp_path / "server") as url:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        monkeypatch.setenv("MLFLOW_TRACKING_TIMEOUT_SECONDS", str(PATIENCE_SECONDS))
        run = mirrored(version, package.path, report)
        assert run is not None
        assert mirrored(version, package.path, report) == run
        with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS, trust_env=False) as browser:
            path = "/api/2.0/mlflow/runs/get"
            found = browser.get(path, params={"run_id": run}).json()["run"]
            place = f"/api/2.0/mlflow-artifacts/artifacts/{found['info']['experiment_id']}/{run}"
            kept = browser.get(f"{place}/artifacts/report.html")
            manifest = browser.get(f"{place}/artifacts/package/manifest.json")
    assert (found["info"]["run_name"], found["info"]["status"]) == ("sms-v7", "FINISHED")
    assert [(one["key"], one["value"]) for one in found["data"]["metrics"]] == [
        ("goldenRecall", 0.91)
    ]
    tags = {one["key"]: one["value"] for one in found["data"]["tags"]}
    assert tags["shield.version"] == "sms-v7"
    assert tags["shield.status"] == "refused"
    assert tags["shield.refusal"] == "slices: German fell"
    assert tags["shield.parent"] == "sms-v6"
    assert kept.text == "<h1>Refused</h1>"
    assert manifest.content == (package.path / "manifest.json").read_bytes()


def test_nothing_is_mirrored_unless_asked_for(
    tmp_path: Path, version: VersionRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert mirrored(version, tmp_path, tmp_path / "r.html") is None


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense", "http://[broken"])
def test_a_mirror_that_fails_is_a_line_in_the_log(
    url: str,
    tmp_path: Path,
    version: VersionRead,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
    with caplog.at_level(logging.WARNING):
        assert mirrored(version, tmp_path, tmp_path / "r.html") is None
    (line,) = (json.loads(record.message) for record in caplog.records)
    assert (line["event"], line["version"]) == ("not-mirrored", "sms-v7")
