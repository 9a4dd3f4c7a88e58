"""Nonsense of every kind over real sockets: never a 5xx, never an effect on the next request.

The long form (hundreds of thousands of cases, memory watched) is `make soak`.
"""

import json
import socket
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.model_server import RunningServer

pytestmark = pytest.mark.xdist_group("training")

RELAXED = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
REFUSALS = {400, 404, 405, 413, 422, 431}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)
tensors = st.fixed_dictionaries(
    {},
    optional={
        "name": st.just("text") | json_values,
        "shape": st.lists(st.integers(-1, 3), max_size=3) | json_values,
        "datatype": st.just("BYTES") | json_values,
        "data": st.lists(st.text(max_size=30), max_size=4) | json_values,
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_size": json_values})
        | json_values,
    },
)
infer_bodies = st.fixed_dictionaries(
    {},
    optional={
        "inputs": st.lists(tensors | json_values, max_size=2) | json_values,
        "outputs": st.lists(
            st.fixed_dictionaries({"name": st.sampled_from(["label", "probability", "x"])})
            | json_values,
            max_size=3,
        )
        | json_values,
        "id": st.text(max_size=5) | json_values,
        "parameters": st.fixed_dictionaries({}, optional={"deadline_ms": json_values})
        | json_values,
    },
)


def ask(client: httpx.Client, path: str, body: bytes, headers: dict[str, str] | None = None) -> int:
    answer = client.post(path, content=body, headers=headers)
    if answer.status_code != 200:
        assert answer.status_code in REFUSALS, answer.text
        assert answer.json()["error"]
    return answer.status_code


@RELAXED
@given(body=st.binary(max_size=300))
def test_any_bytes_for_a_body(model_client: httpx.Client, body: bytes) -> None:
    assert ask(model_client, "/predict", body) in REFUSALS


@RELAXED
@given(document=json_values | st.fixed_dictionaries({"text": json_values, "texts": json_values}))
def test_any_json_for_a_prediction(model_client: httpx.Client, document: Any) -> None:
    ask(model_client, "/predict", json.dumps(document).encode())


@RELAXED
@given(text=st.text(st.characters(), max_size=200))
def test_any_text_has_an_answer(model_client: httpx.Client, text: str) -> None:
    assert ask(model_client, "/predict", json.dumps({"text": text}).encode()) == 200


@RELAXED
@given(document=infer_bodies)
def test_any_inference_request(model_client: httpx.Client, document: Any) -> None:
    ask(model_client, "/v2/models/sms/infer", json.dumps(document).encode())


@RELAXED
@given(document=infer_bodies, tail=st.binary(max_size=40), shift=st.integers(-3, 3))
def test_any_binary_tensor(
    model_client: httpx.Client, document: Any, tail: bytes, shift: int
) -> None:
    head = json.dumps(document).encode()
    headers = {"inference-header-content-length": str(len(head) + shift)}
    ask(model_client, "/v2/models/sms/infer", head + tail, headers)


@RELAXED
@given(
    sent=st.binary(min_size=1, max_size=200)
    | st.builds(
        lambda method, target, header, body: (
            b"%b %b HTTP/1.1\r\n%b\r\n\r\n%b" % (method, target, header, body)
        ),
        st.sampled_from([b"GET", b"POST", b"PRI", b"get", b""]),
        st.sampled_from([b"/", b"*", b"//", b"/%00", b"/predict?x=\xff", b"http://x/predict"]),
        st.sampled_from([b"", b"host", b"content-length: 1x", b"transfer-encoding: gzip", b": x"]),
        st.binary(max_size=20),
    )
)
def test_any_bytes_on_a_connection(
    model_server: RunningServer, model_client: httpx.Client, sent: bytes
) -> None:
    host, port = model_server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while part := connection.recv(65536):
                received += part
        except ConnectionResetError:
            pass
    if received:
        assert received.startswith(b"HTTP/1.1 ")
        assert int(received[9:12]) in REFUSALS | {200}
    assert ask(model_client, "/predict", b'{"text": "hello"}') == 200
