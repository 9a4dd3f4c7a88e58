"""The step `register` with mirrors: what a run registers is there, and a dead one costs no run."""

import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest

from components.register import step as register
from shield.artifacts.opening import open_store
from shield.gates import Comparison, GateInput, GateLimits, decide
from shield.labels import ModelType
from shield.run_files import BatchReference, RunInputs
from shield.wire import BatchStatus, VersionRead, VersionStatus
from tests.support.arms import version_ref
from tests.support.http_server import Quiet, serving
from tests.support.learning import World, learning_world
from tests.support.mlflow import mlflow_server
from tests.support.model_registry import ModelRegistryServer, model_registry
from tests.support.packages import LURES, linear_package
from tests.support.waiting import PATIENCE_SECONDS

RUN = "weekly-sms-1"


@dataclass
class Judged:
    """A run whose challenger is judged, and waits for `register`."""

    world: World
    folder: Path
    batch: str

    def register(self, *, first_recall: float = 0.5) -> VersionRead:
        """Run the step."""
        given = GateInput.model_validate_json((self.folder / "evaluations").read_bytes())
        limits = GateLimits(min_feedback=0, first_recall=first_recall)
        verdict = decide(given, limits).model_dump_json(by_alias=True)
        (self.folder / "verdict").write_text(verdict)
        with self.world.service() as client:
            return register.run(
                client,
                open_store(self.world.api.artifacts_root),
                model=self.folder / "model",
                evaluations=self.folder / "evaluations",
                verdict=self.folder / "verdict",
                inputs=self.folder / "inputs",
                report=self.folder / "report.html",
                signing_key=self.world.folder / "keys/signing.pem",
                code_version="test",
            )

    def status(self) -> BatchStatus:
        """Return what became of the batch."""
        with self.world.service() as client:
            (batch,) = client.batches(model_type=ModelType.SMS)
        return batch.status


@pytest.fixture
def judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Judged]:
    with learning_world(tmp_path) as (world, url):
        package = linear_package(tmp_path / "model").package
        world.make_stable(version_ref("sms-v0"), ModelType.SMS, url)
        world.correct([(text, 1) for text in LURES[:2]])
        with world.service() as client:
            lease = client.lease_batch(ModelType.SMS, RUN, minimum=1)
        assert lease.batch is not None
        reference = BatchReference.model_validate(lease.batch)
        RunInputs(model_type=ModelType.SMS, run_id=RUN, batch=reference).write(tmp_path / "inputs")
        (tmp_path / "report.html").write_text("<h1>Promoted</h1>")
        given = GateInput(
            model_type=ModelType.SMS,
            champion=None,
            challenger=package.digest,
            fresh_feedback=len(LURES),
            budget=0.01,
            golden_digest="sha256:g",
            golden=Comparison(tp=95, fn=5, fp=1, tn=899),
            int8_compared=1000,
            int8_flips=0,
            metrics={"goldenRecall": 0.95},
        )
        (tmp_path / "evaluations").write_text(given.model_dump_json(by_alias=True))
        for name, value in world.environment.items():
            monkeypatch.setenv(name, value)
        yield Judged(world, tmp_path, reference.id)


def in_mlflow(url: str) -> list[dict[str, Any]]:
    """Return all runs of our experiment."""
    with httpx.Client(base_url=f"{url}/api/2.0/mlflow", timeout=PATIENCE_SECONDS) as browser:
        name = {"experiment_name": "antispam-shield"}
        experiment = browser.get("/experiments/get-by-name", params=name).json()["experiment"]
        wanted = {"experiment_ids": [experiment["experiment_id"]]}
        found: list[dict[str, Any]] = browser.post("/runs/search", json=wanted).json()["runs"]
    return found


def test_what_a_run_registers_is_in_mlflow_and_in_kubeflows_registry_once(
    judged: Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mlflow").mkdir()
    with (
        mlflow_server(tmp_path / "mlflow") as url,
        model_registry(ModelRegistryServer()) as registry,
    ):
        monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
        monkeypatch.setenv("MLFLOW_TRACKING_TIMEOUT_SECONDS", str(PATIENCE_SECONDS))
        monkeypatch.setenv("SHIELD_MODEL_REGISTRY_URL", registry.url)
        version = judged.register()
        assert judged.register().name == version.name  # a step that was killed runs again
        found = in_mlflow(url)
    assert version.status is VersionStatus.CANDIDATE
    assert judged.status() is BatchStatus.ACKNOWLEDGED
    (run,) = found
    tags = {one["key"]: one["value"] for one in run["data"]["tags"]}
    assert (run["info"]["run_name"], tags["shield.run"]) == (version.name, RUN)
    assert tags["shield.digest"] == version.digest
    figures = {one["key"]: one["value"] for one in run["data"]["metrics"]}
    assert figures == {"goldenRecall": 0.95}
    (mirrored,) = registry.versions
    properties = mirrored["customProperties"]
    assert (mirrored["name"], mirrored["state"]) == (version.name, "LIVE")
    assert properties["digest"]["string_value"] == version.digest
    ((artifact,),) = registry.artifacts.values()
    assert artifact["uri"].endswith(version.uri)


class Odd(Quiet, BaseHTTPRequestHandler):
    """Answers what no server of its kind does: a list where an object should be."""

    def do_GET(self) -> None:
        """Answer."""
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[]")

    do_POST = do_GET  # noqa: N815  # the library's name


@contextmanager
def mute() -> Iterator[str]:
    """Listen and never answer; yield the URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"


@contextmanager
def refusing() -> Iterator[str]:
    """Answer every request with 401."""
    with model_registry(ModelRegistryServer(token="another")) as running:
        yield running.url


FAULTS: dict[str, Callable[[], AbstractContextManager[str]]] = {
    "refuses connections": lambda: nullcontext("http://127.0.0.1:1"),
    "is no URL": lambda: nullcontext("http://[broken"),
    "answers nothing": mute,
    "answers errors": refusing,
    "answers oddly": lambda: serving(Odd),
}


def test_a_dead_tracking_server_costs_no_run(
    judged: Judged, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for server in ("MLFLOW_TRACKING", "SHIELD_MODEL_REGISTRY"):
        monkeypatch.setenv(f"{server}_TIMEOUT_SECONDS", "1")
    for fault, happening in FAULTS.items():
        caplog.clear()
        with happening() as url, caplog.at_level(logging.WARNING):
            monkeypatch.setenv("MLFLOW_TRACKING_URI", url)
            monkeypatch.setenv("SHIELD_MODEL_REGISTRY_URL", url)
            version = judged.register()
        told = [one.message for one in caplog.records if "not-mirrored" in one.message]
        assert {json.loads(line)["to"] for line in told} == {"mlflow", "kubeflow"}, fault
        assert version.status is VersionStatus.CANDIDATE
        assert judged.status() is BatchStatus.ACKNOWLEDGED, "the batch would be trained again"


def test_a_refused_version_is_mirrored_with_its_reason_and_its_batch_comes_back(
    judged: Judged, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with model_registry(ModelRegistryServer()) as registry:
        monkeypatch.setenv("SHIELD_MODEL_REGISTRY_URL", registry.url)
        version = judged.register(first_recall=1.0)
    assert version.status is VersionStatus.REFUSED
    assert judged.status() is BatchStatus.RELEASED
    (mirrored,) = registry.versions
    assert (mirrored["name"], mirrored["state"]) == (version.name, "ARCHIVED")
    assert mirrored["description"].startswith("first-model: ")
