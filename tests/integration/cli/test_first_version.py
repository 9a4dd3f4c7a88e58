"""A linear first version: trained, gated, signed, registered and asked for in seconds."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from shield.artifacts.opening import open_store
from shield.device import read_device
from shield.labels import ModelType
from shield.packages import ModelPackage, Trust, pull
from shield.packages.served import files_served
from shield.predictor import Predictor
from shield.wire import RunOutcome
from tests.support.learning import learning_world
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("weekly")


def test_the_first_version_of_a_type_is_a_version_like_any_other(tmp_path: Path) -> None:
    with learning_world(tmp_path) as (world, _):

        def called(part: str, **environment: str) -> "subprocess.CompletedProcess[str]":
            command = [sys.executable, "-m", "cli.first_version", "--model-type", "voice"]
            command += ["--quick", "--part", part, "--data-dir", str(tmp_path / "home"), "--json"]
            return subprocess.run(
                command,
                env={**os.environ, **world.environment, "SHIELD_BOOK_LANGUAGES": "en"}
                | environment,
                capture_output=True,
                text=True,
                check=False,
                timeout=PATIENCE_SECONDS,
            )

        # As on a cluster: in two containers, of which the first has no signing key.
        early = called("register")
        assert early.returncode == 1
        assert "--part train" in early.stderr
        trained = called("train", SHIELD_SIGNING_KEY="/nowhere")
        assert trained.returncode == 0, trained.stderr
        done, again = called("register"), called("register")
        for each in (done, again):
            assert each.returncode == 0, each.stderr
            (first,) = json.loads(each.stdout)["first"]
            assert first["version"] == "voice-v1", first
        assert "asked for before" in first["message"]
        with world.api.client("ann", "admin") as admin:
            version = admin.version(ModelType.VOICE, "voice-v1")
            rollout = admin.rollout(ModelType.VOICE)
            (run,) = admin.runs(model_type=ModelType.VOICE)
    assert version.metrics["halves"] == ["linear"]
    assert version.metrics["gate"]
    assert rollout.spec.version.name == "voice-v1"
    assert (run.outcome, run.version, run.trigger) == (
        RunOutcome.SUCCEEDED,
        "voice-v1",
        "first version",
    )
    assert {"prepare_corpus", "baseline", "evaluate", "register"} <= run.steps.keys()
    trust = Trust.from_directory(Path(world.environment["SHIELD_TRUSTED_KEYS"]))
    store = open_store(world.environment["SHIELD_ARTIFACTS_ROOT"])
    package: ModelPackage = pull(
        store,
        version.uri,
        version.digest,
        tmp_path / "cache",
        trust,
        files=lambda manifest: files_served(manifest, "int8"),
    )
    predictor = Predictor(package)
    predictor.check_samples()
    assert not package.manifest.has_encoder
    assert package.manifest.band is not None
    assert predictor.probabilities(["hello, it is me"]).size == 1
    judge = read_device(pull(store, version.uri, version.digest, tmp_path / "phone", trust))
    assert judge.operating.scam > 0
    assert np.isfinite(judge.margin("hello, it is me"))
