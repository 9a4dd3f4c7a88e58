"""Model servers of a few lines, for tests of what stands in front of them.

They speak the wire of the model server and judge by a rule that a test can foresee. Tests of the
models themselves use real packages.
"""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

from shield.crds.v1alpha1 import ModelRolloutSpec, Split, VersionRef
from shield.errors import Overloaded, to_problem
from shield.labels import LABELS, ModelType
from shield.rollouts import RolloutStore
from tests.support.http_server import Quiet, serving


def judges_by_word(text: str) -> float:
    """Return 0.95 for a message that says `win`, 0.5 for `maybe`, else 0.05."""
    if "win" in text.lower():
        return 0.95
    return 0.5 if "maybe" in text.lower() else 0.05


@contextmanager
def model_server(
    model_type: ModelType = ModelType.SMS,
    judge: Callable[[str], float] = judges_by_word,
    *,
    failing: threading.Event | None = None,
    processor_ms: float | None = None,
    overloaded: bool = False,
) -> Iterator[str]:
    """Serve `/predict` by a rule until the block ends; while `failing` is set, answer 500.

    It says that each answer has cost `processor_ms`; if None, it does not say. An `overloaded` one
    refuses to answer, as a model server does whose queue is full.
    """

    class Handler(Quiet, BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 65536  # head and body in one packet: two would wait for a delayed ACK (40 ms)

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            broken = failing is not None and failing.is_set()
            labels = LABELS[model_type]
            predictions = [
                {
                    "label": labels.positive if judge(text) >= 0.5 else labels.negative,
                    "probability": judge(text),
                    "confidence": max(judge(text), 1 - judge(text)),
                }
                for text in body["texts"]
            ]
            told = {} if processor_ms is None else {"processorMs": processor_ms}
            answer = json.dumps({"predictions": predictions, **told}).encode()
            if overloaded:
                answer = json.dumps(to_problem(Overloaded("The queue is full."))).encode()
            self.send_response(503 if overloaded else 500 if broken else 200)
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)
            self.wfile.flush()

    with serving(Handler) as origin:
        yield origin


def version_ref(name: str) -> VersionRef:
    """Return a version whose digest follows from its name."""
    digest = "sha256:" + name.encode().hex().ljust(64, "0")[:64]
    return VersionRef(name=name, digest=digest, uri=f"packages/{name}")


def deploy(
    rollouts: RolloutStore,
    url: str,
    *,
    version: str = "sms-v1",
    model_type: ModelType = ModelType.SMS,
    candidate: str | None = None,
    candidate_url: str | None = None,
    weight: float = 0,
    shadow: bool = False,
    fallback: str | None = None,
    fallback_url: str | None = None,
) -> None:
    """Write a rollout as the operator would: `version` is stable at `url`."""
    stable = version_ref(version)
    other = version_ref(candidate) if candidate else None
    rollouts.change_spec(
        model_type.value,
        lambda spec: spec or ModelRolloutSpec(model_type=model_type, version=stable),
    )
    found = rollouts.get(model_type.value)
    split = Split(
        stable=stable,
        stable_url=url,
        candidate=other,
        candidate_url=candidate_url,
        weight=weight,
        salt="test",
        shadow=shadow,
        fallback=version_ref(fallback) if fallback else None,
        fallback_url=fallback_url,
    )
    status = found.status.model_copy(
        update={
            "stable": stable,
            "candidate": other,
            "split": split,
            "last_known_good": split.fallback,
            "good": [ref for ref in (split.fallback, stable) if ref],
        }
    )
    rollouts.write_status(found, status)
