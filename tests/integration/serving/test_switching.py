"""Several versions in one process: switching under load, faults, overload."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import onnx
import pytest

from shield.packages import load_private_key, pack, sign
from shield.predictor import Predictor
from tests.support.model_server import RunningServer, running_model_server
from tests.support.packages import (
    CHAT,
    LURES,
    SignedPackage,
    copied_package,
    signed_package,
)
from tests.support.waiting import PATIENCE_MILLISECONDS, PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.xdist_group("serving")

UNHURRIED = {"x-deadline-ms": str(int(PATIENCE_MILLISECONDS))}


@pytest.fixture(scope="module")
def second_package() -> SignedPackage:
    return signed_package(variant=40)


@pytest.fixture
def repository_server(sms_package: SignedPackage) -> Iterator[RunningServer]:
    with running_model_server(sms_package, repository="true", cache_rows="0") as server:
        yield server


def load(url: str, signed: SignedPackage, version: str, **parameters: str) -> httpx.Response:
    body = {"parameters": {"package": str(signed.package.path), "version": version} | parameters}
    return httpx.post(f"{url}/v2/repository/models/sms/load", json=body, timeout=PATIENCE_SECONDS)


def index(url: str) -> dict[str, dict[str, Any]]:
    entries = httpx.post(f"{url}/v2/repository/index", timeout=PATIENCE_SECONDS).json()
    return {entry["version"]: entry for entry in entries}


def test_switches_under_load_fail_no_request_and_mix_no_versions(
    repository_server: RunningServer, sms_package: SignedPackage, second_package: SignedPackage
) -> None:
    texts = [*LURES, *CHAT]
    expected = {
        "sms-v1": Predictor(sms_package.package).probabilities(texts),
        "sms-v2": Predictor(second_package.package).probabilities(texts),
    }
    url = repository_server.url
    wrong: list[str] = []
    answered: dict[str, int] = {"sms-v1": 0, "sms-v2": 0}
    stop = threading.Event()

    def ask(number: int) -> None:
        with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
            count = number
            while not stop.is_set():
                count += 1
                two = [count % len(texts), (count * 7) % len(texts)]
                answer = client.post("/predict", json={"texts": [texts[place] for place in two]})
                if answer.status_code != 200:
                    wrong.append(answer.text)
                    continue
                document = answer.json()
                version = document["modelVersion"]
                got = [prediction["probability"] for prediction in document["predictions"]]
                if got != [expected[version][place] for place in two]:
                    wrong.append(f"{version}: {got}")
                answered[version] += 1

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    assert load(url, second_package, "sms-v2").status_code == 200
    for switch in range(40):
        version = ("sms-v1", "sms-v2")[switch % 2]
        body = {"parameters": {"version": version}}
        answer = httpx.post(
            f"{url}/v2/repository/models/sms/load", json=body, timeout=PATIENCE_SECONDS
        )
        assert answer.json()["version"] == version
        seen = sum(answered.values())
        wait_until(lambda seen=seen: sum(answered.values()) > seen, pause_seconds=0.005)  # type: ignore[misc]
    stop.set()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert min(answered.values()) > 5, answered
    switches = [event for event in repository_server.log_events() if event["event"] == "switched"]
    assert [event["kind"] for event in switches].count("warm") == 40


def test_the_version_before_stays_warm_and_the_one_before_that_is_freed(
    repository_server: RunningServer, sms_package: SignedPackage, second_package: SignedPackage
) -> None:
    url = repository_server.url
    load(url, second_package, "sms-v2")
    load(url, sms_package, "sms-v3")
    entries = index(url)
    assert set(entries) == {"sms-v2", "sms-v3"}
    assert entries["sms-v3"]["active"]
    assert not entries["sms-v2"]["active"]


def test_unloading_frees_a_version_but_never_the_one_that_answers(
    repository_server: RunningServer, second_package: SignedPackage
) -> None:
    url = repository_server.url
    load(url, second_package, "sms-v2")

    def unload(version: str) -> httpx.Response:
        body = {"parameters": {"version": version}}
        return httpx.post(
            f"{url}/v2/repository/models/sms/unload", json=body, timeout=PATIENCE_SECONDS
        )

    assert unload("sms-v2").status_code == 409
    assert unload("sms-v1").status_code == 200
    assert unload("sms-v1").status_code == 404
    assert set(index(url)) == {"sms-v2"}


def test_a_bad_package_is_refused_and_the_old_version_goes_on(
    repository_server: RunningServer, second_package: SignedPackage, tmp_path: Path
) -> None:
    url = repository_server.url
    with copied_package(tmp_path) as copy:
        (copy.package.path / "manifest.sig").unlink()
        refused = load(url, copy, "sms-v2")
    assert refused.status_code == 422
    assert "is not signed" in refused.json()["error"]
    assert (
        load(url, second_package, "sms-v1", digest=second_package.package.digest).status_code == 409
    )
    missing = load(url, second_package, "x", package=str(tmp_path / "nowhere"))
    assert missing.status_code == 422
    assert "needs --digest" in missing.json()["error"]
    as_shadow = load(url, second_package, "sms-v2", shadow="true")
    assert as_shadow.status_code == 422
    assert "`parameters` has shadow, which is not known here" in as_shadow.json()["error"]
    for odd in ["a\x00b", "/etc", "../../etc", "x" * 5000, str(tmp_path / "nowhere")]:
        digest = "sha256:../../" if odd.startswith("..") else "sha256:0"
        assert load(url, second_package, "x", package=odd, digest=digest).status_code == 422, odd
    assert (
        httpx.post(f"{url}/predict", json={"text": "hi"}, timeout=PATIENCE_SECONDS).json()[
            "modelVersion"
        ]
        == "sms-v1"
    )


def poisoned(copy: SignedPackage, word: str) -> None:
    """Make the fp32 model answer NaN for messages with one word that no sample holds."""
    from tokenizers import Tokenizer

    path = copy.package.path / "model.onnx"
    model = onnx.load(str(path))
    token = Tokenizer.from_file(str(copy.package.path / "tokenizer.json")).token_to_id(word)
    for tensor in model.graph.initializer:
        if list(tensor.dims) == [30522, 384]:
            values = onnx.numpy_helper.to_array(tensor).copy()
            values[token] = np.nan
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    path.unlink()
    onnx.save_model(model, str(path))
    sign(pack(copy.package.path, copy.package.manifest).path, load_private_key(copy.signing_key))


def test_nan_takes_a_version_out_of_service_at_once(tmp_path: Path) -> None:
    with copied_package(tmp_path) as copy:
        poisoned(copy, "volcano")
        with (
            running_model_server(copy, "--precision", "fp32") as server,
            httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS) as client,
        ):
            assert client.post("/predict", json={"text": "hello"}).status_code == 200
            before = client.get("/metrics").text
            broken = client.post("/predict", json={"text": "a volcano of prizes"})
            after = client.post("/predict", json={"text": "hello again"})
            ready = client.get("/v2/health/ready")
            live = client.get("/v2/health/live")
            metrics = client.get("/metrics").text
            state = index(server.url)["sms-v1"]
            events = server.log_events()
    assert broken.status_code == 503
    assert "could not compute" in broken.json()["error"]
    assert after.status_code == 503
    assert "out of order (nan)" in after.json()["error"]
    assert ready.status_code == 503
    assert live.status_code == 200
    assert 'shield_server_model_faults_total{kind="nan",version="sms-v1"} 0.0' in before
    assert 'shield_server_model_faults_total{kind="nan",version="sms-v1"} 1.0' in metrics
    assert state["state"] == "UNAVAILABLE"
    assert [event["kind"] for event in events if event["event"] == "model_fault"] == ["nan"]


def test_errors_of_the_model_are_503_and_open_the_circuit(tmp_path: Path) -> None:
    with copied_package(tmp_path) as copy:
        # Longer rows than the model has positions: onnxruntime refuses them.
        rules = copy.package.manifest.preprocessing.model_copy(update={"max_tokens": 600})
        manifest = copy.package.manifest.model_copy(update={"preprocessing": rules})
        sign(pack(copy.package.path, manifest).path, load_private_key(copy.signing_key))
        with (
            running_model_server(copy) as server,
            httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS) as client,
        ):
            statuses = [
                client.post("/predict", json={"text": f"{number} " + "word " * 580}).status_code
                for number in range(6)
            ]
            after = client.post("/predict", json={"text": "hello"})
    assert statuses == [503] * 6
    assert after.status_code == 503
    assert "out of order (error)" in after.json()["error"]


def test_overload_is_refused_with_retry_after_and_the_rest_is_served(
    sms_package: SignedPackage,
) -> None:
    statuses: list[int] = []
    lock = threading.Lock()

    def ask(url: str, number: int) -> None:
        with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
            for count in range(8):
                text = f"{number} {count} " + " ".join(LURES[:3])
                answer = client.post("/predict", json={"text": text})
                with lock:
                    statuses.append(answer.status_code)
                    if answer.status_code == 503:
                        assert int(answer.headers["retry-after"]) >= 1

    with running_model_server(sms_package, queue_rows="4", threads="1", cache_rows="0") as server:
        threads = [threading.Thread(target=ask, args=(server.url, n)) for n in range(12)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        metrics = httpx.get(f"{server.url}/metrics", timeout=PATIENCE_SECONDS).text
    assert set(statuses) == {200, 503}
    assert 'shield_server_refusals_total{reason="queue_full"}' in metrics


def queued_rows(client: httpx.Client) -> float:
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("shield_server_queue"))


def test_what_is_known_is_answered_however_much_waits_and_what_was_refused_is_not_remembered(
    sms_package: SignedPackage,
) -> None:
    with (
        running_model_server(sms_package, threads="1", queue_rows="2") as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS) as client,
    ):
        known = client.post("/predict", json={"text": CHAT[0]}).json()
        texts = [f"{number} {' '.join(LURES)}" for number in range(60)]
        busy = threading.Thread(
            target=httpx.post,
            args=(f"{server.url}/predict",),
            kwargs={"json": {"texts": texts}, "timeout": PATIENCE_SECONDS, "headers": UNHURRIED},
        )
        busy.start()
        wait_until(lambda: queued_rows(client) > 2, pause_seconds=0.0)
        again = client.post("/predict", json={"text": CHAT[0]})
        refused = client.post("/predict", json={"texts": [CHAT[1], CHAT[0]]})
        metrics = client.get("/metrics").text
        busy.join()
    assert again.status_code == 200
    assert again.json()["predictions"] == known["predictions"]
    assert refused.status_code == 503
    readings = Predictor(sms_package.package).read([*texts, CHAT[0]])
    rows = len({row for reading in readings for row in reading.rows})
    assert f'shield_server_rows_total{{source="model"}} {rows}.0' in metrics
    assert 'shield_server_rows_total{source="cache"} 1.0' in metrics


def test_a_deadline_that_cannot_be_met_is_refused(sms_package: SignedPackage) -> None:
    text = " ".join([*LURES, *CHAT]) * 3
    with (
        running_model_server(sms_package, threads="1", cache_rows="0") as server,
        httpx.Client(base_url=server.url, timeout=PATIENCE_SECONDS) as client,
    ):
        texts = [f"{number} {text}" for number in range(200)]  # seconds of work
        busy = threading.Thread(
            target=httpx.post,
            args=(f"{server.url}/predict",),
            kwargs={"json": {"texts": texts}, "timeout": PATIENCE_SECONDS, "headers": UNHURRIED},
        )
        busy.start()
        hasty = client.post("/predict", json={"text": "hi"})
        while busy.is_alive() and hasty.status_code != 503:  # until its texts are in the queue
            hasty = client.post("/predict", json={"text": "hi"}, headers={"x-deadline-ms": "1"})
        busy.join()
    assert hasty.status_code == 503
    assert "deadline" in hasty.json()["error"]


def test_many_texts_that_cannot_make_their_deadline_are_refused_before_any_is_computed(
    sms_package: SignedPackage,
) -> None:
    with running_model_server(sms_package, threads="1") as server:
        texts = [f"{number} {' '.join(LURES[:3])}" for number in range(400)]
        refused = httpx.post(
            f"{server.url}/predict",
            json={"texts": texts},
            headers={"x-deadline-ms": "100"},
            timeout=PATIENCE_SECONDS,
        )
        one = httpx.post(
            f"{server.url}/predict",
            json={"text": "hi"},
            headers=UNHURRIED,
            timeout=PATIENCE_SECONDS,
        )
        metrics = httpx.get(f"{server.url}/metrics", timeout=PATIENCE_SECONDS).text
    assert refused.status_code == 503
    assert "longer than the deadline" in refused.json()["error"]
    assert int(refused.headers["retry-after"]) >= 1
    assert one.status_code == 200
    assert 'shield_server_refusals_total{reason="deadline"} 1.0' in metrics
    assert "shield_server_batch_rows_count 1.0" in metrics


def test_twins_are_computed_once_and_repeats_come_from_the_cache(
    sms_package: SignedPackage,
) -> None:
    with running_model_server(sms_package, threads="1") as server:
        text = " ".join(LURES[:4])
        answers = httpx.post(
            f"{server.url}/predict", json={"texts": [text] * 10}, timeout=PATIENCE_SECONDS
        ).json()
        again = httpx.post(
            f"{server.url}/predict", json={"text": text}, timeout=PATIENCE_SECONDS
        ).json()
        metrics = httpx.get(f"{server.url}/metrics", timeout=PATIENCE_SECONDS).text
    rows = len(Predictor(sms_package.package).read([text])[0].rows)
    assert len({item["probability"] for item in answers["predictions"]}) == 1
    assert again["predictions"][0] == answers["predictions"][0]
    assert f'shield_server_rows_total{{source="model"}} {rows}.0' in metrics
    assert f'shield_server_rows_total{{source="twin"}} {9 * rows}.0' in metrics
    assert f'shield_server_rows_total{{source="cache"}} {rows}.0' in metrics
