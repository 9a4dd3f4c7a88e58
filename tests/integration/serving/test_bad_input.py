"""What strangers send: the right status, a clear message, and no effect on anybody else."""

import json
import re
import resource
import socket
import struct
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.model_server import RunningServer, running_model_server
from tests.support.packages import SignedPackage
from tests.support.waiting import PATIENCE_SECONDS, wait_until

pytestmark = pytest.mark.xdist_group("serving")

INFER = "/v2/models/sms/infer"


def tensor(**changes: Any) -> dict[str, Any]:
    return {
        "inputs": [{"name": "text", "shape": [1], "datatype": "BYTES", "data": ["hello"]} | changes]
    }


def assert_still_serves(client: httpx.Client) -> None:
    assert client.post("/predict", json={"text": "hello"}).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("/predict", b"", 400, "not JSON"),
        ("/predict", b"{", 400, "not JSON"),
        ("/predict", b"[]", 400, "an object is needed"),
        ("/predict", b'{"text": "\xff\xfe"}', 400, "not valid UTF-8"),
        ("/predict", b'{"text": "\xed\xa0\x80"}', 400, "not valid UTF-8"),
        ("/predict", b"[" * 100_000, 400, "too deeply"),
        ("/predict", b'{"text": ' + b"9" * 5000 + b"}", 400, "not JSON"),
        ("/predict", b"{}", 422, "at least one text"),
        ("/predict", b'{"texts": []}', 422, "at least one text"),
        ("/predict", b'{"texts": "hello"}', 422, "at least one text"),
        ("/predict", b'{"text": null}', 422, "has to be a string"),
        ("/predict", b'{"text": 7}', 422, "has to be a string"),
        ("/predict", b'{"texts": ["a", ["b"]]}', 422, "has to be a string"),
        (INFER, b"null", 400, "an object is needed"),
        (INFER, b"{}", 422, "one tensor"),
        (INFER, tensor(name="words"), 422, "called `text`"),
        (INFER, tensor(datatype="FP32"), 422, "BYTES"),
        (INFER, tensor(shape=[2]), 422, "says 2 texts"),
        (INFER, tensor(shape=[-1]), 422, "shape"),
        (INFER, tensor(shape=[1, 2]), 422, "shape"),
        (INFER, tensor(shape=["1"]), 422, "shape"),
        (INFER, tensor(shape=[True]), 422, "shape"),
        (INFER, tensor(shape=[0], data=[]), 422, "is empty"),
        (INFER, tensor(data=[1]), 422, "strings"),
        (INFER, tensor(data=[["a", "b"]]), 422, "strings"),
        (INFER, tensor() | {"outputs": [{"name": "logits"}]}, 422, "no output"),
        (INFER, tensor() | {"parameters": []}, 422, "has to be an object"),
        (INFER, tensor() | {"parameters": {"deadline_ms": 10**400}}, 422, "deadline"),
        (INFER, tensor() | {"parameters": {"deadline_ms": True}}, 422, "deadline"),
        (INFER, tensor() | {"id": 7}, 422, "`id`"),
        ("/v2/models/voice/infer", tensor(), 404, "no model 'voice'"),
        ("/v2/models/sms/versions/v9/infer", tensor(), 404, "no version 'v9'"),
        ("/v2/models/..%2f..%2fetc/infer", tensor(), 404, "no model"),
        ("/nowhere", b"", 404, "nothing at"),
    ],
)
def test_a_wrong_body_or_path_gets_its_status_and_a_message(
    model_client: httpx.Client, path: str, body: Any, status: int, message: str
) -> None:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = model_client.post(path, content=content)
    assert answer.status_code == status, answer.text
    document = answer.json()
    assert message in document["error"]
    assert document["status"] == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert_still_serves(model_client)


@pytest.mark.parametrize(
    ("header", "body", "message"),
    [
        ("999999", b"{}", "not a length within"),
        ("-1", b"{}", "not a length within"),
        ("x", b"{}", "not a length within"),
        (None, struct.pack("<I", 9) + b"abc", "ends within a string"),
        (None, b"ab", "ends within a length"),
        (None, struct.pack("<I", 2) + b"\xff\xfe", "not valid UTF-8"),
    ],
)
def test_a_wrong_binary_tensor_is_refused(
    model_client: httpx.Client, header: str | None, body: bytes, message: str
) -> None:
    if header is None:
        sized = tensor(parameters={"binary_data_size": len(body)})
        head = json.dumps(sized).encode()
        header, body = str(len(head)), head + body
    answer = model_client.post(
        INFER, content=body, headers={"inference-header-content-length": header}
    )
    assert answer.status_code == 400
    assert message in answer.json()["error"]


@pytest.mark.parametrize("text", ["", " ", "\x00", "a\x00b", "\ud800", "\u202e", "😀" * 500])
def test_an_odd_text_is_answered_like_any_other(model_client: httpx.Client, text: str) -> None:
    # ensure_ascii: a lone surrogate travels as an escape, as JSON allows.
    answer = model_client.post("/predict", content=json.dumps({"text": text}).encode())
    assert answer.status_code == 200
    assert 0 <= answer.json()["predictions"][0]["probability"] <= 1


@pytest.mark.parametrize("text", ["", " \n", "\u2800\u3164", "\u200b\u2060", "\U0001d159", "\x00"])
def test_no_verdict_is_sure_of_a_text_in_which_nothing_is_seen(
    model_client: httpx.Client, text: str
) -> None:
    for _ in range(2):  # computed, and then from the cache
        answer = model_client.post("/predict", json={"texts": [text, "WIN a prize, call now"]})
        blank, other = answer.json()["predictions"]
        assert blank["label"] == "ham"
        assert blank["confidence"] == pytest.approx(0.5, abs=1e-5)
        assert other["confidence"] > 0.51
    asked = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": [text]}]}
    (probability, label) = model_client.post(INFER, json=asked).json()["outputs"]
    assert probability["data"] == [blank["probability"]]
    assert label["data"] == ["ham"]


def test_half_an_emoji_is_read_as_a_replacement_and_told(model_client: httpx.Client) -> None:
    texts = ["WIN \ud83d now", "WIN \ufffd now"]
    asked = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [2], "data": texts}]}
    plain = model_client.post("/predict", content=json.dumps({"texts": texts}).encode()).json()
    oip = model_client.post(INFER, content=json.dumps(asked).encode()).json()
    assert plain["unreadableCharacters"] == oip["parameters"]["unreadable_characters"] == 2
    broken, replaced = plain["predictions"]
    assert broken == replaced
    assert "unreadableCharacters" not in model_client.post("/predict", json={"text": "WIN"}).json()


def test_a_megabyte_of_text_and_ten_thousand_texts_are_too_large(
    model_client: httpx.Client,
) -> None:
    long_text = model_client.post("/predict", json={"text": "spam " * 200_000})
    many = model_client.post("/predict", json={"texts": ["spam"] * 10_000})
    huge = model_client.post("/predict", content=b"x" * (2**21 + 1))
    for answer, message in [
        (long_text, "longer than 100000"),
        (many, "more than 1024"),
        (huge, "longer than 2097152 bytes"),
    ]:
        assert answer.status_code == 413, answer.text
        assert message in answer.json()["error"]
    assert_still_serves(model_client)


def test_the_longest_text_that_is_allowed_is_answered(model_client: httpx.Client) -> None:
    answer = model_client.post(
        "/predict", json={"text": "free prize now " * 6_600}, timeout=PATIENCE_SECONDS
    )
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/predict", "POST"), ("PUT", INFER, "POST"), ("DELETE", "/v2/health/live", "GET")],
)
def test_another_method_is_405(
    model_client: httpx.Client, method: str, path: str, allowed: str
) -> None:
    answer = model_client.request(method, path)
    assert answer.status_code == 405
    assert allowed in answer.json()["error"]
    assert allowed in answer.headers["allow"]


@contextmanager
def raw_connection(url: str) -> Iterator[socket.socket]:
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) as connection:
        yield connection


def everything(connection: socket.socket) -> bytes:
    received = b""
    while part := connection.recv(65536):
        received += part
    return received


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GARBAGE\r\n\r\n", b"400"),
        (b"CONNECT example.org:443 HTTP/1.1\r\n\r\n", b"400"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"400"),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"400"),
        (b"POST /predict HTTP/1.1\r\nContent-Length: -5\r\n\r\n", b"400"),
        (b"POST /predict HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", b"400"),
        (b"POST /predict HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n", b"400"),
        (b"GET / HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n\r\n", b"431"),
        (b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\n\r\n", b"431"),
        (b"POST /predict HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"413"),
    ],
)
def test_what_is_not_http_is_answered_and_hung_up_on(
    model_server: RunningServer, model_client: httpx.Client, sent: bytes, status: bytes
) -> None:
    with raw_connection(model_server.url) as connection:
        connection.sendall(sent)
        received = everything(connection)
    assert received.startswith(b"HTTP/1.1 " + status), received[:200]
    assert b"connection: close" in received
    assert_still_serves(model_client)


def test_pipelined_requests_are_answered_in_order(model_server: RunningServer) -> None:
    requests = b"".join(
        b"POST /predict HTTP/1.1\r\nx-request-id: %d\r\ncontent-length: %d\r\n\r\n%b"
        % (number, len(body), body)
        for number in range(40)
        for body in [json.dumps({"text": f"hello {number}"}).encode()]
    )
    last = b"GET /v2/health/live HTTP/1.1\r\nconnection: close\r\n\r\n"
    with raw_connection(model_server.url) as connection:
        connection.sendall(requests + last)
        received = everything(connection)
    assert received.count(b"HTTP/1.1 200") == 41
    places = [received.index(b"x-request-id: %d\r\n" % number) for number in range(40)]
    assert places == sorted(places)


LIVE = b"GET /v2/health/live HTTP/1.1\r\n\r\n"
LAST = b"GET /v2/health/live HTTP/1.1\r\nconnection: close\r\n\r\n"
OFFER = (
    b"GET /v2/health/live HTTP/1.1\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n"
    b"http2-settings: AAEAAEAAAAIAAAAB\r\n\r\n"
)


@pytest.mark.parametrize("request_bytes", [LIVE, OFFER], ids=["plain", "offering http2"])
def test_hundreds_of_requests_in_one_write_are_all_answered(
    model_server: RunningServer, request_bytes: bytes
) -> None:
    with raw_connection(model_server.url) as connection:
        connection.sendall(request_bytes * 495 + LAST)
        received = everything(connection)
    assert received.count(b"HTTP/1.1 200") == 496


def test_more_requests_than_may_wait_are_refused_after_the_answers_before(
    model_server: RunningServer, model_client: httpx.Client
) -> None:
    slow = json.dumps({"text": "hello " * 500}).encode()
    first = b"POST /predict HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(slow), slow)
    with raw_connection(model_server.url) as connection:
        connection.sendall(first + LIVE * 5000)
        received = everything(connection)
    # How many come in one read is up to the kernel, so the refusal may not be needed at all.
    answers = received.count(b"HTTP/1.1 200")
    assert answers == 5001 or (answers >= 1001 and b"HTTP/1.1 429" in received)
    assert_still_serves(model_client)


def test_the_answer_before_a_broken_pipelined_request_arrives(model_server: RunningServer) -> None:
    body = b'{"text": "hello"}'
    whole = b"POST /predict HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    with raw_connection(model_server.url) as connection:
        connection.sendall(whole + b"GARBAGE\r\n\r\n")
        received = everything(connection)
    assert re.findall(rb"HTTP/1.1 (\d{3}) ", received) == [b"200", b"400"]


def test_clients_that_have_gone_leave_no_connection_open(model_server: RunningServer) -> None:
    def descriptors() -> int:
        return sum(1 for _ in Path(f"/proc/{model_server.process.pid}/fd").iterdir())

    before = descriptors()
    body = b'{"text": "hello"}'
    asked = b"POST /predict HTTP/1.1\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)
    host, port = model_server.url.removeprefix("http://").split(":")
    clients = [
        socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) for _ in range(40)
    ]
    for number, connection in enumerate(clients):
        connection.sendall(asked * (1 + number % 3) + LIVE * 300 + asked[: number % 30])
        connection.shutdown(socket.SHUT_WR)  # half-closed: the server sees CLOSE-WAIT
    for connection in clients[::2]:
        assert everything(connection).count(b"HTTP/1.1 200") >= 301
    for connection in clients:
        connection.close()
    wait_until(lambda: descriptors() <= before, "the server keeps descriptors of clients gone")


def test_head_gets_the_head_alone_and_the_connection_goes_on(model_server: RunningServer) -> None:
    heads = b"".join(
        b"HEAD %b HTTP/1.1\r\n\r\n" % path
        for path in [b"/v2/health/live", b"/nowhere", b"/predict"]
    )
    with raw_connection(model_server.url) as connection:
        connection.sendall(heads + b"GET /v2/health/live HTTP/1.1\r\nconnection: close\r\n\r\n")
        answers = everything(connection).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"404", b"405", b"200"]
    assert all(answer.endswith(b"\r\n\r\n") for answer in answers[:3])
    assert b"content-length: 14\r\n" in answers[0]


@pytest.mark.parametrize("body", [b"", b'{"text": "hello"}'])
def test_an_offer_of_http2_is_passed_over_and_the_connection_goes_on(
    model_server: RunningServer, body: bytes
) -> None:
    # What Java's client sends first.
    offer = (
        b"%b HTTP/1.1\r\nconnection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\n"
        b"http2-settings: AAEAAEAAAAIAAAAB\r\ncontent-length: %d\r\n\r\n%b"
    )
    first = offer % (b"POST /predict" if body else b"GET /v2/health/live", len(body), body)
    last = b"GET /v2/health/live HTTP/1.1\r\nconnection: close\r\n\r\n"
    with raw_connection(model_server.url) as connection:
        connection.sendall(first + last)
        answers = everything(connection).split(b"HTTP/1.1 ")[1:]
    assert [answer[:3] for answer in answers] == [b"200", b"200"]


def test_a_chunked_body_and_an_expectation_work(model_server: RunningServer) -> None:
    body = b'{"text": "hello"}'
    with raw_connection(model_server.url) as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nexpect: 100-continue\r\nconnection: close\r\n"
            b"transfer-encoding: chunked\r\n\r\n"
        )
        assert connection.recv(1024).startswith(b"HTTP/1.1 100 Continue")
        for byte in body:
            connection.sendall(b"1\r\n%c\r\n" % byte)
        connection.sendall(b"0\r\n\r\n")
        assert everything(connection).startswith(b"HTTP/1.1 200")


@contextmanager
def unfinished(url: str, many: int) -> Iterator[list[socket.socket]]:
    """Open connections that send half of a request and no more."""
    with ExitStack() as stack:
        opened = [stack.enter_context(raw_connection(url)) for _ in range(many)]
        for connection in opened:
            connection.sendall(b"POST /predict HTTP/1.1\r\ncontent-length: 100\r\n\r\n{")
        yield opened


def test_slow_clients_hold_up_nobody(
    model_server: RunningServer, model_client: httpx.Client
) -> None:
    # Whoever waited for one of them after the other would wait for many minutes.
    with unfinished(model_server.url, 50):
        for number in range(20):
            assert model_client.post("/predict", json={"text": f"hi {number}"}).status_code == 200


def test_slow_clients_are_cut_off(sms_package: SignedPackage) -> None:
    with (
        running_model_server(sms_package, request_timeout_seconds="1") as server,
        unfinished(server.url, 50) as slow,
    ):
        for connection in slow:
            received = everything(connection)
            assert received.startswith(b"HTTP/1.1 408"), received[:100]


def test_all_connections_that_are_allowed_fit_though_the_shell_allows_few_files(
    sms_package: SignedPackage,
) -> None:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, before[1]))
    try:
        with running_model_server(sms_package, max_connections="400") as server:
            resource.setrlimit(resource.RLIMIT_NOFILE, before)
            host, port = server.url.removeprefix("http://").split(":")
            clients = [
                socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS)
                for _ in range(400)
            ]
            for connection in clients:
                connection.sendall(b"GET /v2/health/live HTTP/1.1\r\n\r\n")
            statuses = [connection.recv(1024)[:12] for connection in clients]
            for connection in clients:
                connection.close()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert statuses == [b"HTTP/1.1 200"] * 400


def test_too_many_connections_are_told_so(sms_package: SignedPackage) -> None:
    with running_model_server(sms_package, max_connections="4") as server:
        host, port = server.url.removeprefix("http://").split(":")
        held = [
            socket.create_connection((host, int(port)), timeout=PATIENCE_SECONDS) for _ in range(4)
        ]
        for connection in held:
            connection.sendall(b"GET /v2/health/live HTTP/1.1\r\n\r\n")
            assert connection.recv(1024).startswith(b"HTTP/1.1 200")
        with raw_connection(server.url) as extra:
            received = everything(extra)
        assert received.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in received
        held.pop().close()

        def free() -> bool:
            return (
                httpx.get(f"{server.url}/v2/health/live", timeout=PATIENCE_SECONDS).status_code
                == 200
            )

        wait_until(free, "a place that was given back is not free")
        for connection in held:
            connection.close()
