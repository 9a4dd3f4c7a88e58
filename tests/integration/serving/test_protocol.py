"""The Open Inference Protocol v2, driven by a client that is not ours: NVIDIA's `tritonclient`."""

from collections.abc import Iterator

import httpx
import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from shield.predictor import Predictor
from tests.support.model_server import RunningServer
from tests.support.packages import CHAT, LURES, SignedPackage

pytestmark = pytest.mark.xdist_group("serving")


@pytest.fixture
def client(model_server: RunningServer) -> Iterator[triton.InferenceServerClient]:
    client = triton.InferenceServerClient(model_server.url.removeprefix("http://"))
    yield client
    client.close()


def text_input(texts: list[str], *, binary: bool, column: bool = False) -> triton.InferInput:
    shape = [len(texts), 1] if column else [len(texts)]
    tensor = triton.InferInput("text", shape, "BYTES")
    array = np.array([text.encode() for text in texts], dtype=object).reshape(shape)
    tensor.set_data_from_numpy(array, binary_data=binary)
    return tensor


def test_health_and_metadata_are_what_a_client_expects(
    client: triton.InferenceServerClient, sms_package: SignedPackage
) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("sms")
    assert client.is_model_ready("sms", "sms-v1")
    assert client.get_server_metadata()["name"] == "antispam-shield"
    metadata = client.get_model_metadata("sms")
    assert metadata["versions"] == ["sms-v1"]
    assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert {output["name"] for output in metadata["outputs"]} == {"probability", "label"}
    index = client.get_model_repository_index()
    assert [(entry["name"], entry["version"], entry["state"]) for entry in index] == [
        ("sms", "sms-v1", "READY")
    ]


@pytest.mark.parametrize("column", [False, True])
@pytest.mark.parametrize("binary_in", [False, True])
@pytest.mark.parametrize("binary_out", [False, True])
def test_inference_gives_probabilities_and_labels(
    client: triton.InferenceServerClient,
    sms_package: SignedPackage,
    binary_in: bool,
    binary_out: bool,
    column: bool,
) -> None:
    texts = [*LURES[:3], *CHAT[:3], "naïve 😀 café", ""]
    answer = client.infer(
        "sms",
        [text_input(texts, binary=binary_in, column=column)],
        outputs=[
            triton.InferRequestedOutput("probability", binary_data=binary_out),
            triton.InferRequestedOutput("label", binary_data=binary_out),
        ],
        request_id="request-7",
    )
    predictor = Predictor(sms_package.package)
    expected = predictor.probabilities(texts)
    np.testing.assert_array_equal(answer.as_numpy("probability"), expected)
    labels = [
        label.decode() if isinstance(label, bytes) else label for label in answer.as_numpy("label")
    ]
    assert labels == [predictor.verdict(probability) for probability in expected]
    response = answer.get_response()
    assert response["id"] == "request-7"
    assert response["model_version"] == "sms-v1"
    assert response["parameters"]["arm"] == "stable"


def test_only_the_wanted_output_comes(client: triton.InferenceServerClient) -> None:
    answer = client.infer(
        "sms",
        [text_input(["free prize"], binary=True)],
        outputs=[triton.InferRequestedOutput("label", binary_data=False)],
    )
    assert [output["name"] for output in answer.get_response()["outputs"]] == ["label"]
    assert answer.as_numpy("probability") is None


def test_a_named_version_answers_and_an_unknown_one_does_not(
    client: triton.InferenceServerClient,
) -> None:
    inputs = [text_input(["free prize"], binary=True)]
    assert client.infer("sms", inputs, model_version="sms-v1").as_numpy("label") is not None
    with pytest.raises(InferenceServerException, match="no version 'sms-v9'"):
        client.infer("sms", inputs, model_version="sms-v9")
    with pytest.raises(InferenceServerException, match="no model 'voice'"):
        client.infer("voice", inputs)


def test_the_clients_own_concurrency_works(
    model_server: RunningServer, sms_package: SignedPackage
) -> None:
    url = model_server.url.removeprefix("http://")
    texts = [f"{text} {number}" for number in range(4) for text in [*LURES, *CHAT]]
    with triton.InferenceServerClient(url, concurrency=8) as client:
        pending = [client.async_infer("sms", [text_input([text], binary=True)]) for text in texts]
        answers = [call.get_result().as_numpy("probability")[0] for call in pending]
    np.testing.assert_array_equal(answers, Predictor(sms_package.package).probabilities(texts))


def test_a_deadline_is_a_parameter(model_client: httpx.Client) -> None:
    body = {
        "inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["hello"]}],
        "parameters": {"deadline_ms": 5000},
    }
    assert model_client.post("/v2/models/sms/infer", json=body).status_code == 200
    body["parameters"] = {"deadline_ms": -1}
    refused = model_client.post("/v2/models/sms/infer", json=body)
    assert refused.status_code == 422
    assert "deadline" in refused.json()["error"]


def test_the_request_id_comes_back(model_client: httpx.Client) -> None:
    answer = model_client.post(
        "/predict", json={"text": "hello"}, headers={"x-request-id": "scan-42"}
    )
    assert answer.headers["x-request-id"] == "scan-42"


def test_loading_over_http_is_refused_unless_the_server_was_started_for_it(
    model_client: httpx.Client,
) -> None:
    answer = model_client.post(
        "/v2/repository/models/sms/load", json={"parameters": {"version": "x", "package": "/"}}
    )
    assert answer.status_code == 403
    assert "SHIELD_SERVER_REPOSITORY" in answer.json()["error"]
