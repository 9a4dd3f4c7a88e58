"""Versions in a real MLflow and in Kubeflow's registry: mirrored once, never at a run's cost."""

import asyncio
import json
import logging
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from model_registry import ModelRegistry

from components.shared.mirrors import mirrored
from shield.labels import ModelType
from shield.wire import VersionRead, VersionStatus
from tests.support.mlflow import mlflow_server
from tests.support.model_registry import ModelRegistryServer, model_registry
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
        run = mirrored(version, package.path, report)["mlflow"]
        assert mirrored(version, package.path, report) == {"mlflow": run}
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
    monkeypatch.delenv("SHIELD_MODEL_REGISTRY_URL", raising=False)
    assert mirrored(version, tmp_path, tmp_path / "r.html") == {}


@pytest.mark.parametrize("api", ["v1", "v1alpha3"])
def test_kubeflows_own_client_finds_a_version_with_figures_lineage_and_package(
    api: str, tmp_path: Path, version: VersionRead, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = linear_package(tmp_path / "package").package
    (tmp_path / "token").write_text("secret\n")
    with model_registry(ModelRegistryServer(api, token="secret")) as server:
        monkeypatch.setenv("SHIELD_MODEL_REGISTRY_URL", server.url + "/")
        monkeypatch.setenv("SHIELD_MODEL_REGISTRY_TOKEN_FILE", str(tmp_path / "token"))
        monkeypatch.setenv("SHIELD_ARTIFACTS_ROOT", "s3://bucket/shield/")
        server.fail_artifacts = True
        assert mirrored(version, package.path, tmp_path / "r.html") == {}
        server.fail_artifacts = False
        assert mirrored(version, package.path, tmp_path / "r.html") == {"kubeflow": "1"}
        assert mirrored(version, package.path, tmp_path / "r.html") == {"kubeflow": "1"}
        passed = version.model_copy(update={"name": "sms-v8", "status": VersionStatus.CANDIDATE})
        assert mirrored(passed, package.path, tmp_path / "r.html") == {"kubeflow": "2"}
        if api == "v1":  # the client speaks the newest alone
            with closing(asyncio.new_event_loop()) as loop:
                client = ModelRegistry(
                    server.url,
                    author="a data scientist",
                    user_token="secret",
                    async_runner=lambda call: loop.run_until_complete(call),
                )
                found = client.get_model_version("antispam-shield-sms", "sms-v7")
                artifact = client.get_model_artifact("antispam-shield-sms", "sms-v7")
                second = client.get_model_version("antispam-shield-sms", "sms-v8")
            assert found is not None
            assert artifact is not None
            assert second is not None
            assert found.custom_properties == {
                "goldenRecall": 0.91,
                "digest": version.digest,
                "parent": "sms-v6",
                "batches": "sms-00ff00ff00ff00ff",
                "run": "weekly-sms-1",
                "gate": "refused",
            }
            assert found.state == "ARCHIVED"
            assert found.description == "slices: German fell"
            assert second.state == "LIVE"
            assert artifact.uri == "s3://bucket/shield/packages/sms/d"
    assert [one["name"] for one in server.models] == ["antispam-shield-sms"]
    assert {key: len(rows) for key, rows in server.artifacts.items()} == {"1": 1, "2": 1}


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "nonsense", "http://[broken"])
@pytest.mark.parametrize(
    ("variable", "server"),
    [("MLFLOW_TRACKING_URI", "mlflow"), ("SHIELD_MODEL_REGISTRY_URL", "kubeflow")],
)
def test_a_mirror_that_fails_is_a_line_in_the_log(
    variable: str,
    server: str,
    url: str,
    tmp_path: Path,
    version: VersionRead,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv(variable, url)
    with caplog.at_level(logging.WARNING):
        assert mirrored(version, tmp_path, tmp_path / "r.html") == {}
    (line,) = (json.loads(record.message) for record in caplog.records)
    assert (line["event"], line["to"], line["version"]) == ("not-mirrored", server, "sms-v7")


def test_what_is_no_model_registry_is_told_with_the_setting(
    tmp_path: Path,
    version: VersionRead,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with model_registry(ModelRegistryServer("v0")) as server:
        monkeypatch.setenv("SHIELD_MODEL_REGISTRY_URL", server.url)
        with caplog.at_level(logging.WARNING):
            assert mirrored(version, tmp_path, tmp_path / "r.html") == {}
    (line,) = (json.loads(record.message) for record in caplog.records)
    assert "Set SHIELD_MODEL_REGISTRY_URL" in line["why"]
