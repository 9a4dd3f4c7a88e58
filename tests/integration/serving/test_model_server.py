"""The model server as a process: ready when warm, safe with bad packages, gone when told."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import httpx
import numpy as np
import pytest

from serving.server.model import WARM_UP_CALLS
from shield.artifacts.directory import DirectoryStore
from shield.packages import Band, load_private_key, pack, push, sign
from shield.predictor import Predictor
from tests.support.model_server import (
    running_model_server,
    server_command,
    server_environment,
)
from tests.support.packages import (
    CHAT,
    LURES,
    SignedPackage,
    copied_package,
    linear_package,
    with_linear_half,
)
from tests.support.waiting import PATIENCE_SECONDS, alive, wait_until

pytestmark = pytest.mark.xdist_group("serving")


def outcome_of(command: list[str], environment: dict[str, str]) -> tuple[int, str]:
    """Run a server that is expected to end by itself; return exit code and last line of stderr."""
    done = subprocess.run(
        command, env=environment, capture_output=True, timeout=PATIENCE_SECONDS, check=False
    )
    return done.returncode, done.stderr.decode().strip().splitlines()[-1]


def test_every_answer_names_version_arm_and_digest(
    model_client: httpx.Client, sms_package: SignedPackage
) -> None:
    answer = model_client.post("/predict", json={"text": LURES[0]}).json()
    assert answer["modelVersion"] == "sms-v1"
    assert answer["arm"] == "stable"
    assert answer["digest"] == sms_package.package.digest
    (prediction,) = answer["predictions"]
    assert prediction["label"] == "spam"
    assert prediction["confidence"] == prediction["probability"]


def test_both_halves_of_a_package_are_served_and_confidence_never_contradicts_the_verdict(
    tmp_path: Path,
) -> None:
    texts = [*LURES, *CHAT, " ".join([*CHAT, *LURES] * 12)]
    with copied_package(tmp_path) as copy:
        signed = with_linear_half(copy)
        expected = Predictor(signed.package).probabilities(texts)
        with running_model_server(signed) as server:
            for _ in range(2):  # computed, then remembered
                answer = httpx.post(
                    f"{server.url}/predict", json={"texts": texts}, timeout=PATIENCE_SECONDS
                ).json()["predictions"]
                np.testing.assert_array_equal([one["probability"] for one in answer], expected)
    assert {one["label"] for one in answer} == {"spam", "ham"}
    assert min(one["confidence"] for one in answer) >= 0.5


def test_a_package_without_an_encoder_is_served_and_says_how_sure_it_is(tmp_path: Path) -> None:
    signed = linear_package(tmp_path / "linear", Band(harmless=0.5, scam=0.5))
    predictor = Predictor(signed.package)
    texts = [*LURES, *CHAT, "\U0001f600"]
    expected = predictor.probabilities(texts)
    with running_model_server(signed) as server:
        for _ in range(2):  # computed, then remembered
            answer = httpx.post(
                f"{server.url}/predict", json={"texts": texts}, timeout=PATIENCE_SECONDS
            ).json()["predictions"]
            np.testing.assert_allclose([one["probability"] for one in answer], expected)
    said = [one["certainty"] for one in answer]
    assert said == [predictor.certainty(each) for each in expected]
    assert said[-1] == "unsure"
    assert set(said) == {"sure", "unsure"}


def test_a_warm_server_tells_what_an_answer_has_cost_and_nothing_of_what_it_knew(
    sms_package: SignedPackage,
) -> None:
    with (
        running_model_server(sms_package) as server,
        httpx.Client(base_url=server.url, timeout=20) as client,
    ):

        def cost(text: str) -> float | None:
            told: float | None = client.post("/predict", json={"text": text}).json()["processorMs"]
            return told

        first = [cost(f"{CHAT[0]} {number}") for number in range(WARM_UP_CALLS)]
        short = [cost(f"Ok {number}") for number in range(10)]
        # In every window another number: an equal one would come from the cache.
        words = " ".join([*LURES, *CHAT]).split()
        long = [cost(f" {number} ".join(words)) for number in range(10)]
        again = cost("Ok 1")
    assert first[: WARM_UP_CALLS - 1] == [None] * (WARM_UP_CALLS - 1)
    assert again is None
    costs = [one for one in (*short, *long) if one is not None]
    assert len(costs) == 20
    assert 0 < sum(costs[:10]) < sum(costs[10:])


def test_what_is_served_is_exactly_what_is_evaluated(
    model_client: httpx.Client, sms_package: SignedPackage
) -> None:
    texts = [*LURES, *CHAT, "", " ".join(LURES)]
    answer = model_client.post("/predict", json={"texts": texts}).json()
    served = [prediction["probability"] for prediction in answer["predictions"]]
    np.testing.assert_array_equal(served, Predictor(sms_package.package).probabilities(texts))


def test_many_clients_at_once_get_the_answers_they_would_get_alone(
    model_client: httpx.Client, sms_package: SignedPackage
) -> None:
    texts = [f"{lure} {number}" for number in range(12) for lure in [*LURES, *CHAT]]
    expected = Predictor(sms_package.package).probabilities(texts)
    got: dict[int, float] = {}

    def ask(first: int) -> None:
        with httpx.Client(base_url=model_client.base_url, timeout=PATIENCE_SECONDS) as client:
            for index in range(first, len(texts), 8):
                answer = client.post("/predict", json={"text": texts[index]}).json()
                got[index] = answer["predictions"][0]["probability"]

    threads = [threading.Thread(target=ask, args=(first,)) for first in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal([got[index] for index in range(len(texts))], expected)


def test_the_fp32_model_is_an_option(sms_package: SignedPackage) -> None:
    with running_model_server(sms_package, "--precision", "fp32") as server:
        texts = [*LURES, *CHAT]
        answer = httpx.post(
            f"{server.url}/predict", json={"texts": texts}, timeout=PATIENCE_SECONDS
        ).json()
    expected = Predictor(sms_package.package, "fp32").probabilities(texts)
    served = [prediction["probability"] for prediction in answer["predictions"]]
    np.testing.assert_allclose(served, expected, atol=1e-4)


def test_a_package_is_served_from_the_artifact_store(
    sms_package: SignedPackage, tmp_path: Path
) -> None:
    pushed = push(DirectoryStore(tmp_path / "store"), sms_package.package.path)
    environment = server_environment(
        sms_package.trusted_keys, {"cache_dir": str(tmp_path / "cache")}
    ) | {"SHIELD_ARTIFACTS_ROOT": str(tmp_path / "store")}
    ready = tmp_path / "ready.json"
    command = server_command(pushed.uri, "--digest", pushed.digest, "--ready-file", str(ready))
    process = subprocess.Popen(command, env=environment)
    try:
        wait_until(ready.exists, process=process)
        url = f"http://127.0.0.1:{json.loads(ready.read_text())['port']}"
        assert (
            httpx.get(f"{url}/v2/models/sms", timeout=PATIENCE_SECONDS).json()["parameters"][
                "digest"
            ]
            == pushed.digest
        )
        # Only what is served was fetched: the weights to train from stay in the store.
        names = {file.name for file in (tmp_path / "cache" / pushed.digest[7:]).iterdir()}
        assert "model.safetensors" not in names
        assert "model.onnx" not in names
    finally:
        process.terminate()
        assert process.wait(timeout=PATIENCE_SECONDS) == 0


@pytest.mark.parametrize("damage", ["corrupt", "unsigned", "untrusted", "invalid", "samples"])
def test_a_package_that_must_not_be_served_ends_with_65_and_one_sentence(
    damage: str, tmp_path: Path, sms_package: SignedPackage
) -> None:
    with copied_package(tmp_path) as copy:
        path, trusted = copy.package.path, copy.trusted_keys
        if damage == "corrupt":
            raw = (path / "model.int8.onnx").read_bytes()
            (path / "model.int8.onnx").unlink()
            (path / "model.int8.onnx").write_bytes(raw[:-1] + b"\x00")
            expected = "hashes to"
        elif damage == "unsigned":
            (path / "manifest.sig").unlink()
            expected = "is not signed"
        elif damage == "untrusted":
            signature = json.loads((path / "manifest.sig").read_text())
            (path / "manifest.sig").write_text(json.dumps(signature | {"keyId": "0" * 16}))
            expected = "not by a trusted key"
        elif damage == "invalid":
            (path / "tokenizer.json").unlink()
            (path / "tokenizer.json").write_text("{}")
            sign(pack(path, copy.package.manifest).path, load_private_key(copy.signing_key))
            expected = "tokenizer.json"
        else:
            samples = json.loads((path / "samples.json").read_text())
            samples["samples"][0]["probability"]["int8"] = 0.123
            (path / "samples.json").write_text(json.dumps(samples))
            sign(pack(path, copy.package.manifest).path, load_private_key(copy.signing_key))
            expected = "on its own samples"
        code, sentence = outcome_of(server_command(path), server_environment(trusted))
    assert code == 65, sentence
    assert expected in sentence


def test_a_wrong_digest_is_refused(sms_package: SignedPackage) -> None:
    command = server_command(sms_package.package.path, "--digest", "sha256:" + "0" * 64)
    code, sentence = outcome_of(command, server_environment(sms_package.trusted_keys))
    assert code == 65
    assert "was asked for" in sentence


def test_a_package_of_another_model_type_is_refused(sms_package: SignedPackage) -> None:
    command = [
        "phishing" if argument == "sms" else argument
        for argument in server_command(sms_package.package.path)
    ]
    code, sentence = outcome_of(command, server_environment(sms_package.trusted_keys))
    assert code == 65
    assert "holds a sms model" in sentence


def test_a_busy_port_is_one_clear_sentence(sms_package: SignedPackage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [*server_command(sms_package.package.path), "--port", port]
        code, sentence = outcome_of(command, server_environment(sms_package.trusted_keys))
    assert code == 1
    assert f"Cannot listen on 127.0.0.1:{port}" in sentence


def test_no_trusted_keys_and_nonsense_settings_are_one_clear_sentence(
    sms_package: SignedPackage, tmp_path: Path
) -> None:
    command = server_command(sms_package.package.path)
    code, sentence = outcome_of(command, server_environment(tmp_path / "none"))
    assert (code, "no trusted key" in sentence) == (1, True)
    environment = server_environment(sms_package.trusted_keys, {"threads": "many"})
    code, sentence = outcome_of(command, environment)
    assert (code, "SHIELD_SERVER_THREADS" in sentence) == (1, True)


def test_sigterm_under_load_fails_no_request(sms_package: SignedPackage) -> None:
    failures: list[str] = []
    answered = 0
    stop = threading.Event()

    def ask(url: str, number: int) -> None:
        nonlocal answered
        with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
            count = 0
            while not stop.is_set():
                count += 1
                try:
                    answer = client.post("/predict", json={"text": f"prize {number} {count}"})
                except httpx.ConnectError:
                    return  # gone: nothing was sent
                except httpx.HTTPError as error:
                    failures.append(repr(error))
                    return
                if answer.status_code != 200:
                    failures.append(answer.text)
                answered += 1

    with running_model_server(sms_package) as server:
        threads = [threading.Thread(target=ask, args=(server.url, n)) for n in range(4)]
        for thread in threads:
            thread.start()
        wait_until(lambda: answered > 20)
        server.process.send_signal(signal.SIGTERM)
        code = server.process.wait(timeout=PATIENCE_SECONDS)
        stop.set()
        for thread in threads:
            thread.join()
    assert code == 0
    assert failures == []
    assert answered > 20


def test_after_sigkill_the_next_server_takes_the_same_port_and_ready_file(
    sms_package: SignedPackage, tmp_path: Path
) -> None:
    ready = tmp_path / "ready.json"
    command = server_command(sms_package.package.path, "--ready-file", str(ready))
    environment = server_environment(sms_package.trusted_keys)

    def start(port: int) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen([*command, "--port", str(port)], env=environment)
        # A stale file of the one before names another process.
        wait_until(
            lambda: ready.exists() and json.loads(ready.read_text())["pid"] == process.pid,
            process=process,
        )
        return process

    first = start(0)
    port = int(json.loads(ready.read_text())["port"])
    url = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=url, timeout=PATIENCE_SECONDS) as client:
        assert client.post("/predict", json={"text": "hello"}).status_code == 200
        first.kill()
        first.wait()
        assert ready.exists()
        with pytest.raises(httpx.HTTPError):
            client.post("/predict", json={"text": "hello"})
    second = start(port)
    try:
        assert (
            httpx.post(
                f"{url}/predict", json={"text": "hello"}, timeout=PATIENCE_SECONDS
            ).status_code
            == 200
        )
    finally:
        second.terminate()
        assert second.wait(timeout=PATIENCE_SECONDS) == 0


def test_a_ready_file_left_behind_is_gone_before_the_model_loads(
    sms_package: SignedPackage, tmp_path: Path
) -> None:
    ready = tmp_path / "ready.json"
    ready.write_text('{"port": 1, "pid": 1}')
    wrong = ["--ready-file", str(ready), "--digest", "sha256:" + "0" * 64]
    command = server_command(sms_package.package.path, *wrong)
    code, _ = outcome_of(command, server_environment(sms_package.trusted_keys))
    assert code == 65
    assert not ready.exists()


def test_a_server_told_to_dies_with_its_parent(sms_package: SignedPackage, tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    command = server_command(
        sms_package.package.path, "--die-with-parent", "--ready-file", str(ready)
    )
    script = f"import subprocess; subprocess.Popen({command!r}).wait()"
    parent = subprocess.Popen(
        [sys.executable, "-c", script], env=server_environment(sms_package.trusted_keys)
    )
    wait_until(ready.exists, process=parent)
    child = int(json.loads(ready.read_text())["pid"])
    parent.kill()
    parent.wait()
    try:
        wait_until(lambda: not alive(child), "it outlived its parent")
    except AssertionError:
        os.kill(child, signal.SIGKILL)
        raise
    assert not ready.exists()
