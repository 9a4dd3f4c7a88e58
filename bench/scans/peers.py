"""From the phone to the verdict beside other model servers behind the smallest front.

The peers serve the same encoder (`bench.serving`); `bench.scans.front` authenticates and stores a
row in the same PostgreSQL. Nine in ten messages are ordinary. Ours is measured without and with the
cascade, in turns with each peer, by the same eight clients.
"""

import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from api.kit.tokens import mint
from bench import sms
from bench.ending import stop
from bench.feedback.__main__ import own_process
from bench.feedback.load import send
from bench.feedback.processor import cpu_seconds
from bench.scans.path import CLIENTS, deploy, scan_requests
from bench.serving.processes import free_port, running
from components.baseline.step import fit
from components.train.cascade import MOST_SHARE
from shield.linear import LinearModel
from shield.packages import Alone, Cascade, Margin, load_private_key, pack, sign
from shield.packages.manifest import LINEAR
from tests.support.api import SECRET, MovableClock, RunningApi
from tests.support.model_server import running_model_server
from tests.support.packages import SignedPackage, copied_package
from tests.support.postgres import new_migrated_database

PEERS = ("kserve", "litserve", "bentoml", "mlserver", "ray")
_OURS = ("ours", "ours with the cascade")
_ORDINARY = 0.9
"""Share of ordinary messages in the stream."""

_Slice = dict[str, float]


def measure(
    names: Sequence[str], seconds: int, turns: int, keep: Callable[[str, dict[str, Any]], None]
) -> None:
    """Measure ours beside each peer; hand what was found to `keep` after each.

    Args:
        names: Of the peers.
        seconds: Length of a slice.
        turns: Slices of each side.
        keep: Takes the peer's name, and medians of each side with the ratios of the turns, or
            `not_measured` with the reason.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        databases = [new_migrated_database() for _ in _OURS]
        texts, scam = labelled()
        half = len(texts) // 2
        signed = stack.enter_context(_cascading(folder, texts[:half], scam[:half]))
        stream = _stream(texts[half:], scam[half:])
        ours = {
            name: stack.enter_context(
                _Ours.running(folder / str(at), databases[at], signed, cascade=bool(at))
            )
            for at, name in enumerate(_OURS)
        }
        for own in ours.values():
            own.slice(stream, 2)
        for name in names:
            try:
                with _Peer.running(name, signed, databases[0]) as peer:
                    peer.slice(stream, 2)
                    found: dict[str, list[_Slice]] = {name: [], **{each: [] for each in ours}}
                    for _ in range(turns):
                        sides: dict[str, _Side] = {name: peer, **ours}
                        for each, side in sides.items():
                            found[each].append(side.slice(stream, seconds))
                            sys.stderr.write(f"{each}: {found[each][-1]}\n")
                    keep(name, _summary(name, found))
            except RuntimeError as fault:
                sys.stderr.write(f"{name}: not measured: {fault}\n")
                keep(name, {"not_measured": str(fault)})


def labelled() -> tuple[list[str], NDArray[np.bool_]]:
    """Return the messages of the SMS Spam Collection, shuffled, and whether each is a scam."""
    rows = sms.labelled()
    random.Random(21).shuffle(rows)
    return [text for text, _ in rows], np.array([scam for _, scam in rows])


def _stream(texts: Sequence[str], scam: NDArray[np.bool_]) -> Iterator[str]:
    """Yield messages without end, nine in ten ordinary, each with a number of its own."""
    rng = random.Random(21)
    ordinary = [text for text, bad in zip(texts, scam, strict=True) if not bad]
    scams = [text for text, bad in zip(texts, scam, strict=True) if bad]
    while True:
        text = rng.choice(ordinary if rng.random() < _ORDINARY else scams)
        yield f"{text} {rng.randrange(10**6)}"


@contextmanager
def _cascading(folder: Path, texts: list[str], scam: NDArray[np.bool_]) -> Iterator[SignedPackage]:
    """Yield the encoder that everybody serves, with a linear half that may answer alone.

    It answers the ordinary messages that it is surest of, as many as training allows at most.
    """
    with copied_package(folder) as copy:
        package = copy.package.path
        # Numbers are put behind the messages, as in the stream: they count for the share.
        rng = random.Random(4)
        taught = [f"{text} {rng.randrange(10**6)}" for text in texts]
        linear = fit(taught, scam)
        LinearModel(linear.weights, linear.bias, 0.5, linear.features).save(package / LINEAR)
        harmless = linear.margins([text for text, bad in zip(taught, scam, strict=True) if not bad])
        bound = min(float(np.quantile(harmless, MOST_SHARE)), -1e-6)
        manifest = copy.package.manifest.model_copy(
            update={
                "margin": Margin(encoder=0.5, linear=0.5, bias=0.0),
                "cascade": Cascade(harmless=Alone(beyond=bound, encoder=-9.0)),
            }
        )
        pack(package, manifest)
        signed = sign(package, load_private_key(copy.signing_key))
        yield SignedPackage(signed, copy.signing_key, copy.trusted_keys)


class _Side:
    """Something that answers phones, and the process trees that it takes."""

    def __init__(
        self, url: str, path: str, template: str, tokens: Sequence[str], pids: Sequence[int]
    ) -> None:
        self._url, self._path, self._template = url, path, template
        self._tokens, self._pids = tokens, pids

    def slice(self, stream: Iterator[str], seconds: int) -> _Slice:
        """Measure once."""
        requests = scan_requests(self._tokens, stream, seconds, self._path, self._template)
        before = self._spent()
        sent = send(self._url, requests, seconds)
        spent, took = self._spent() - before, sorted(sent.took)
        return {
            "per_second": len(took) / sent.seconds,
            "cpu_ms": 1000 * spent / len(took),
            "p50_ms": 1000 * took[len(took) // 2],
            "p99_ms": 1000 * took[int(len(took) * 0.99)],
        }

    def _spent(self) -> float:
        return sum(cpu_seconds(pid) for pid in self._pids)


class _Ours(_Side):
    """Our API and model server."""

    @classmethod
    @contextmanager
    def running(
        cls, folder: Path, url: str, signed: SignedPackage, *, cascade: bool
    ) -> Iterator["_Ours"]:
        """Run both until the block ends."""
        settings = {"cache_rows": "0", "deadline_seconds": "60", "cascade": str(cascade).lower()}
        folder.mkdir()
        with (
            running_model_server(signed, **settings) as model,
            own_process(folder, url, 1) as (api, pid),
        ):
            deploy(api.services.rollouts, model.url)
            yield cls(
                *(api.url, "/api/v2/scans", '{"scanType": "text", "text": %s}'),
                *(_tokens(api), [pid, model.process.pid]),
            )


def _tokens(api: RunningApi) -> list[str]:
    return [api.token(f"phone-{number}") for number in range(CLIENTS)]


class _Peer(_Side):
    """A peer's model server behind the smallest front."""

    @classmethod
    @contextmanager
    def running(cls, name: str, signed: SignedPackage, url: str) -> Iterator["_Peer"]:
        """Run both until the block ends. Raises `RuntimeError` where the peer does not start."""
        threads = len(os.sched_getaffinity(0))
        with running(name, signed.package.path, signed.trusted_keys, threads) as model:
            port = free_port()
            environment = os.environ | {
                "FRONT_PORT": str(port),
                "FRONT_MODEL": model.url,
                "FRONT_TEMPLATE": model.template,
                "FRONT_DATABASE": url.replace("postgresql+psycopg", "postgresql"),
                "FRONT_SECRET": SECRET,
            }
            command = [sys.executable, "-m", "bench.scans.front"]
            front = subprocess.Popen(command, env=environment)
            try:
                now = MovableClock()()
                tokens = [
                    mint(SECRET, f"phone-{number}", ("user",), now=now, lifetime_seconds=86_400)
                    for number in range(CLIENTS)
                ]
                _until_it_listens(port, front)
                yield cls(
                    *(f"http://127.0.0.1:{port}", "/scans", '{"text": %s}'),
                    *(tokens, [front.pid, model.process.pid]),
                )
            finally:
                stop(front)


def _until_it_listens(port: int, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise RuntimeError("the front did not start; see above")


def _summary(name: str, found: dict[str, list[_Slice]]) -> dict[str, Any]:
    """Return medians of each side, and of the ratios of rates within each turn, with their ends."""
    told: dict[str, Any] = {
        "peer" if each == name else each: {
            key: round(statistics.median(one[key] for one in slices), 3) for key in slices[0]
        }
        for each, slices in found.items()
    }
    for each in _OURS:
        ratios = sorted(
            own["per_second"] / theirs["per_second"]
            for own, theirs in zip(found[each], found[name], strict=True)
        )
        told[f"{each}, times"] = [
            round(value, 3) for value in (statistics.median(ratios), ratios[0], ratios[-1])
        ]
    return told
