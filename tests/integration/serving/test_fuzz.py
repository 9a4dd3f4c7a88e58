"""Nonsense of every kind over real sockets: never a 5xx, never an effect on the next request.

The slow form of each test has a share of 100,000 cases (`make test-slow`). `make soak` adds
switches and watches the memory.
"""

import json
import socket
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.model_server import RunningServer
from tests.support.waiting import PATIENCE_SECONDS

pytestmark = pytest.mark.xdist_group("serving")

RELAXED = settings(deadline=None, suppress_health_check=list(HealthCheck))
short_and_long = pytest.mark.parametrize(
    "cases", [80, pytest.param(17_000, marks=pytest.mark.slow, id="100k")]
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


@short_and_long
def test_any_bytes_for_a_body(model_client: httpx.Client, cases: int) -> None:
    @settings(RELAXED, max_examples=cases)
    @given(body=st.binary(max_size=300))
    def check(body: bytes) -> None:
        assert ask(model_client, "/predict", body) in REFUSALS

    check()


@short_and_long
def test_any_json_for_a_prediction(model_client: httpx.Client, cases: int) -> None:
    @settings(RELAXED, max_examples=cases)
    @given(json_values | st.fixed_dictionaries({"text": json_values, "texts": json_values}))
    def check(document: Any) -> None:
        ask(model_client, "/predict", json.dumps(document).encode())

    check()


@short_and_long
def test_any_text_has_an_answer(model_client: httpx.Client, cases: int) -> None:
    @settings(RELAXED, max_examples=cases)
    @given(text=st.text(st.characters(), max_size=200))
    def check(text: str) -> None:
        assert ask(model_client, "/predict", json.dumps({"text": text}).encode()) == 200

    check()


@short_and_long
def test_any_inference_request(model_client: httpx.Client, cases: int) -> None:
    @settings(RELAXED, max_examples=cases)
    @given(document=infer_bodies)
    def check(document: Any) -> None:
        ask(model_client, "/v2/models/sms/infer", json.dumps(document).encode())

    check()


@short_and_long
def test_any_binary_tensor(model_client: httpx.Client, cases: int) -> None:
    @settings(RELAXED, max_examples=cases)
    @given(document=infer_bodies, tail=st.binary(max_size=40), shift=st.integers(-3, 3))
    def check(document: Any, tail: bytes, shift: int) -> None:
        head = json.dumps(document).encode()
        headers = {"inference-header-content-length": str(len(head) + shift)}
        ask(model_client, "/v2/models/sms/infer", head + tail, headers)

    check()


requests = st.binary(min_size=1, max_size=200) | st.builds(
    lambda method, target, header, body: (
        b"%b %b HTTP/1.1\r\n%b\r\n\r\n%b" % (method, target, header, body)
    ),
    st.sampled_from([b"GET", b"HEAD", b"POST", b"CONNECT", b"PRI", b"get", b""]),
    st.sampled_from([b"/", b"*", b"//", b"/%00", b"/predict?x=\xff", b"http://x/predict"]),
    st.sampled_from(
        [
            b"",
            b"host",
            b"content-length: 1x",
            b"transfer-encoding: gzip",
            b": x",
            b"connection: upgrade\r\nupgrade: h2c",
        ]
    ),
    st.binary(max_size=20),
)


@short_and_long
def test_any_bytes_on_a_connection(
    model_server: RunningServer, model_client: httpx.Client, cases: int
) -> None:
    host, port = model_server.url.removeprefix("http://").split(":")

    @settings(RELAXED, max_examples=cases)
    @given(sent=requests)
    def check(sent: bytes) -> None:
        with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as connection:
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

    check()
