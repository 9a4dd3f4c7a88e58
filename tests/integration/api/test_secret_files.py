"""An API whose secrets are files: it has none of them in its environment, and works."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from api.kit.tokens import mint
from api.settings import ApiSettings
from components.shared.environment import TrackingSettings
from shield.artifacts.settings import ArtifactSettings
from shield.errors import Misconfigured
from tests.support.api import SECRET, settings_for
from tests.support.waiting import PATIENCE_SECONDS, wait_until


def test_an_api_reads_its_secrets_from_files_and_hands_none_on(tmp_path: Path) -> None:
    secrets, ready = tmp_path / "secrets", tmp_path / "ready.json"
    secrets.mkdir()
    files = {
        "SHIELD_DATABASE_URL": f"sqlite:///{tmp_path}/secret-name.db",
        "SHIELD_API_JWT_SECRET": SECRET,
    }
    for name, value in files.items():
        (secrets / name).write_text(f"{value}\n")
    environment = {
        **os.environ,
        "SHIELD_SECRETS": str(secrets),
        "SHIELD_API_MESSAGE_KEYS": str(settings_for(tmp_path).message_keys),
        "SHIELD_ARTIFACTS_ROOT": str(tmp_path / "artifacts"),
        "SHIELD_API_PORT": "0",
        "SHIELD_API_READY_FILE": str(ready),
    }
    process = subprocess.Popen([sys.executable, "-m", "api"], env=environment)
    try:
        wait_until(ready.exists, process=process)
        url = f"http://127.0.0.1:{json.loads(ready.read_text())['port']}"
        token = mint(SECRET, "ann", ("user",), now=datetime.now(UTC), lifetime_seconds=600)
        answer = httpx.get(
            f"{url}/api/v2/inbox",
            headers={"Authorization": f"Bearer {token}"},
            trust_env=False,
            timeout=PATIENCE_SECONDS,
        )
        assert answer.status_code == 200
        assert (tmp_path / "secret-name.db").exists()
        handed_on = Path(f"/proc/{process.pid}/environ").read_bytes()
        for name, value in files.items():
            assert name.encode() not in handed_on
            assert value.encode() not in handed_on
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_SECONDS)


def test_a_variable_wins_over_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "SHIELD_DATABASE_URL").write_text("sqlite:///file.db")
    (tmp_path / "SHIELD_API_CORS_ORIGINS").write_text("https://a.example, https://b.example")
    monkeypatch.setenv("SHIELD_SECRETS", str(tmp_path))
    monkeypatch.delenv("SHIELD_DATABASE_URL", raising=False)
    assert ApiSettings().database_url == "sqlite:///file.db"
    assert ApiSettings().cors_origins == ["https://a.example", "https://b.example"]
    monkeypatch.setenv("SHIELD_DATABASE_URL", "sqlite:///variable.db")
    assert ApiSettings().database_url == "sqlite:///variable.db"


def test_files_may_lie_in_several_directories(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for folder, name in (("bucket", "SHIELD_ARTIFACTS_ROOT"), ("mirrors", "MLFLOW_TRACKING_TOKEN")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(f"{folder}\n")
    monkeypatch.setenv("SHIELD_SECRETS", f"{tmp_path}/bucket:{tmp_path}/mirrors")
    monkeypatch.delenv("SHIELD_ARTIFACTS_ROOT", raising=False)
    assert ArtifactSettings().root == "bucket"
    assert TrackingSettings().tracking_token == "mirrors"
    monkeypatch.setenv("SHIELD_SECRETS", f"{tmp_path}/bucket:{tmp_path}/away")
    with pytest.raises(Misconfigured, match="away, which is no directory"):
        ArtifactSettings()


def test_a_mount_that_is_not_there_is_said_and_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHIELD_SECRETS", str(tmp_path / "none"))
    with pytest.raises(Misconfigured, match="no directory"):
        ArtifactSettings()
    monkeypatch.setenv("SHIELD_SECRETS", str(tmp_path))
    (tmp_path / "SHIELD_ARTIFACTS_ROOT").write_bytes(b"\xff\xfe")
    with pytest.raises(Misconfigured, match="readable text"):
        ArtifactSettings()
