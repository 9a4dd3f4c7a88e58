"""An hour of everything at once: messages, nonsense, switches; no 5xx and no growing memory.

    make soak                       an hour
    make soak ARGS="--minutes 3"    a shorter one

Exits with 1 when an answer was a 5xx (a refusal of overload, 503 with Retry-After, is counted
apart), a message got a wrong answer, or memory grew.
"""

import argparse
import json
import math
import random
import socket
import statistics
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.ending import end_in_order
from bench.serving.processes import Server, running
from bench.serving.scenarios import switch_to
from shield.predictor import Predictor
from tests.support.packages import CHAT, LURES, signed_package

RESULTS = Path("bench/results/serving-soak.json")
_MAX_GROWTH = 1.10
_FUZZERS = 2


@dataclass
class Seen:
    """What came back. Written by several threads; each field is updated under the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    statuses: Counter[int] = field(default_factory=Counter)
    cases: int = 0
    wrong: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def add(self, status: int, case: bytes, answer: bytes) -> None:
        """Count one answer; keep the case behind a 5xx."""
        with self.lock:
            self.cases += 1
            self.statuses[status] += 1
            if status >= 500 and b"retry-after" not in answer.lower() and len(self.faults) < 20:
                self.faults.append(f"{status}: {case[:300]!r}")


class Connection:
    """A keep-alive connection that sends any bytes and reads one answer."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._socket: socket.socket | None = None

    def ask(self, sent: bytes) -> tuple[int, bytes]:
        """Return status (0: hung up without an answer) and the whole answer."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self._server.port), timeout=60)
        received = b""
        try:
            self._socket.sendall(sent)
            while b"\r\n\r\n" not in received:
                part = self._socket.recv(65536)
                if not part:
                    break
                received += part
            head, _, body = received.partition(b"\r\n\r\n")
            length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0] or 0)
            while len(body) < length:
                part = self._socket.recv(65536)
                if not part:
                    break
                body += part
                received += part
        except ConnectionError:
            pass
        if not received or b"connection: close" in received[:2000]:
            self._socket.close()
            self._socket = None
        return (int(received[9:12]) if received.startswith(b"HTTP/1.1 ") else 0), received


def _post(path: str, body: bytes, extra: str = "") -> bytes:
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n{extra}\r\n"
    return head.encode() + body


def nonsense(random_: random.Random) -> bytes:
    """Return one request, most likely broken, always whole: damaged in its JSON or in its bytes."""
    texts = random_.choices(
        [*LURES, *CHAT, "", "\x00", "\ud800", "😀" * 9], k=random_.randint(0, 3)
    )
    document: Any = random_.choice(
        [
            {"text": random_.choice([*texts, None, 7, [], {}])},
            {"texts": texts},
            {
                "inputs": [
                    {
                        "name": random_.choice(["text", "x", None]),
                        "shape": random_.choice([[len(texts)], [len(texts), 1], [-1], "a", None]),
                        "datatype": random_.choice(["BYTES", "FP32", 3]),
                        "data": random_.choice([texts, "text", [texts], None]),
                    }
                ],
                "id": random_.choice(["a", None, 5]),
                "parameters": random_.choice(
                    [{}, {"deadline_ms": random_.choice([1, -1, "x"])}, 7]
                ),
            },
        ]
    )
    body = bytearray(json.dumps(document).encode())
    for _ in range(random_.choice([0, 0, 1, 5])):
        place = random_.randrange(len(body))
        body[place : place + random_.randint(0, 2)] = random_.randbytes(random_.randint(0, 2))
    path = random_.choice(
        [
            "/predict",
            "/v2/models/sms/infer",
            "/v2/models/x/infer",
            "/v2",
            "/v2/repository/index",
            "/%00",
        ]
    )
    extra = random_.choice(
        ["", "", f"inference-header-content-length: {random_.randint(-2, 400)}\r\n"]
    )
    return _post(path, bytes(body), extra)


def main() -> int:
    """Soak the server and report."""
    parser = argparse.ArgumentParser(prog="make soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument(
        "--rate", type=float, default=math.inf, help="most requests per second and client"
    )
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    first, second = signed_package(), signed_package(variant=40)
    texts = [*LURES, *CHAT]
    expected = {
        version: dict(zip(texts, Predictor(signed.package).probabilities(texts), strict=True))
        for version, signed in (("v1", first), ("v2", second))
    }
    seen, memory, switches = Seen(), [], 0
    pause_seconds = 1 / given.rate
    until = time.monotonic() + 60 * given.minutes
    # A small cache, full long before the memory is compared.
    with running(
        "ours", first.package.path, first.trusted_keys, 2, repository="true", cache_rows="2000"
    ) as server:

        def fuzz(number: int) -> None:
            random_, connection = random.Random(given.seed + number), Connection(server)
            while time.monotonic() < until:
                time.sleep(pause_seconds)
                case = nonsense(random_)
                seen.add(*_ordered(connection.ask(case), case))

        def check() -> None:
            random_, connection, count = random.Random(given.seed - 1), Connection(server), 0
            while time.monotonic() < until:
                time.sleep(pause_seconds)
                text, count = random_.choice(texts), count + 1
                # One in two is new to the cache.
                asked = [text, f"{text} {count}"] if count % 2 else [text]
                case = _post("/predict", json.dumps({"texts": asked}).encode())
                status, answer = connection.ask(case)
                seen.add(status, case, answer)
                if status == 200:
                    document = json.loads(answer.partition(b"\r\n\r\n")[2])
                    got = document["predictions"][0]["probability"]
                    if got != expected[document["modelVersion"]][text]:
                        seen.wrong.append(f"{document['modelVersion']} {got}")
                elif status != 503:
                    seen.wrong.append(f"a message was answered {status}")

        threads = [threading.Thread(target=fuzz, args=(number,)) for number in range(_FUZZERS)]
        threads.append(threading.Thread(target=check))
        for thread in threads:
            thread.start()
        switch_to(server, second.package.path, "v2")
        while time.monotonic() < until:
            time.sleep(min(1.0, max(0.0, until - time.monotonic())))
            switches += 1
            switch_to(server, None, ("v1", "v2")[switches % 2])
            memory.append(server.memory_mb())
        for thread in threads:
            thread.join()
    return _report(given.minutes, seen, memory, switches)


def _ordered(answer: tuple[int, bytes], case: bytes) -> tuple[int, bytes, bytes]:
    return answer[0], case, answer[1]


def _report(minutes: float, seen: Seen, memory: list[float], switches: int) -> int:
    fifth = max(1, len(memory) // 5)
    # The first fifth fills caches and arenas; from the second on nothing may grow.
    early, late = statistics.median(memory[fifth : 2 * fifth]), statistics.median(memory[-fifth:])
    figures = {
        "minutes": minutes,
        "cases": seen.cases,
        "statuses": {str(status): count for status, count in sorted(seen.statuses.items())},
        "switches": switches,
        "memory_mb_early": round(early, 1),
        "memory_mb_late": round(late, 1),
        "wrong_answers": len(seen.wrong),
        "faults": seen.faults,
    }
    failed = bool(seen.faults or seen.wrong or late > _MAX_GROWTH * early)
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(figures, indent=1) + "\n")
    print(json.dumps(figures, indent=1))
    print("FAILED" if failed else "held")
    return int(failed)


if __name__ == "__main__":
    end_in_order()
    sys.exit(main())
