"""What `helm test` runs, against a real API: each of its ends."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.api import SECRET, RunningApi, running_api
from tests.support.arms import deploy, model_server, version_ref

JOURNEY = Path(__file__).parents[3] / "helm/files/journey.py"


def journey(
    api: RunningApi, folder: Path, undo: str = "true"
) -> "subprocess.CompletedProcess[str]":
    secret = folder / "jwt-secret"
    secret.write_text(SECRET)
    environment = {
        **os.environ,
        "SHIELD_API_URL": api.url,
        "SHIELD_API_JWT_SECRET_FILE": str(secret),
        "MODEL_TYPES": "sms,voice",
        "UNDO": undo,
    }
    return subprocess.run(
        [sys.executable, JOURNEY], env=environment, capture_output=True, text=True, check=False
    )


def test_without_a_version_it_passes_and_says_what_to_do_first(tmp_path: Path) -> None:
    with running_api(tmp_path) as api:
        done = journey(api, tmp_path)
    assert done.returncode == 0, done.stderr
    assert "No sms version is served yet" in done.stdout


@pytest.mark.parametrize("undo", ["true", "false"])
def test_it_scans_corrects_and_undoes_if_it_may(tmp_path: Path, undo: str) -> None:
    with model_server() as url, running_api(tmp_path) as api:
        store = api.services.rollouts
        deploy(store, url)
        found = store.get("sms")
        earlier = version_ref("sms-v0")
        store.write_status(found, found.status.model_copy(update={"last_known_good": earlier}))
        done = journey(api, tmp_path, undo)
        asked = store.get("sms").spec.undo
    assert done.returncode == 0, done.stderr
    assert "Scanned: ham by sms-v1 (stable)." in done.stdout
    assert "Feedback taken" in done.stdout
    assert (asked is not None) == (undo == "true")
    assert ("Undo was asked for." in done.stdout) == (undo == "true")


def test_a_model_type_whose_servers_are_away_fails_it(tmp_path: Path) -> None:
    with running_api(tmp_path) as api:
        deploy(api.services.rollouts, "http://127.0.0.1:9")
        done = journey(api, tmp_path)
    assert done.returncode != 0
