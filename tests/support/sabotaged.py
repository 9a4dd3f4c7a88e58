"""Kinds of sabotaged version, tried on a running system: does it refuse them, or take them back?"""

import random
import signal
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from shield.client import ShieldClient
from shield.crds.v1alpha1 import Analysis, ModelRollout, Step, VersionRef
from shield.errors import ShieldError
from shield.labels import FeedbackType, ModelType, ScanType
from shield.packages.manifest import INT8_MODEL, SAMPLES, SIGNATURE, TOKENIZER
from shield.wire import ReviewAction
from tests.support import sabotage as by
from tests.support.packages import CHAT, LURES
from tests.support.stands import Stand

_PADDING = (
    "and then we can go on talking about it for as long as you want to all right but maybe they"
    " will come over after work with some bread or soup so he could take her home by train before"
    " nine if it rains because our garden is still wet from last week when nobody went outside"
)
"""Words that say nothing. Each message gets others of them: alike, they would be one campaign, and
of a campaign one message counts in a trial."""
_PADDED = 18
_SCAM_SHARE = 0.3


@dataclass(frozen=True)
class Kind:
    """How a version is damaged, and how that has to end."""

    name: str
    when: str
    """It shows `at load`, `on trial` or `after promotion`."""
    build: Callable[[Path, str], VersionRef]
    reasons: tuple[str, ...] = ("PackageRefused",)
    """Any of these may be given."""
    hurt: signal.Signals | None = None
    """Sent to its servers: again and again at load, once after the promotion."""
    hard: bool = True
    """A fault that needs no statistics."""


class Decided(NamedTuple):
    """What was done about it."""

    action: str
    """The transition's; `wait` for servers that do not become ready, and that nobody meets."""
    reason: str
    at: datetime


@dataclass(frozen=True)
class Outcome:
    """How it ended."""

    decided: Decided
    seconds: float | None
    """From the first request that failed to the decision; None if no user's request failed."""


def _package(**damage: object) -> Callable[[Path, str], VersionRef]:
    return lambda folder, name: by.build(folder, name, **damage)  # type: ignore[arg-type]


def _other_digest(folder: Path, name: str) -> VersionRef:
    made = by.build(folder, name, resample=False)
    return made.model_copy(update={"digest": f"sha256:{made.digest[:6:-1]}"})


_NO_SAMPLE = by.write(SAMPLES, b'{"samples": []}')
_PROMISES = by.write(
    SAMPLES, b'{"samples": [{"text": "hello", "probability": {"int8": 1.0, "fp32": 1.0}}]}'
)
_FAILS = ("AnswersStop", "RequestsFailed")
_ERRS = ("ErrsMore", "VerdictsShifted")

KINDS = (
    Kind("unsigned", "at load", _package(after=by.lose(SIGNATURE), resample=False)),
    Kind("signed by a stranger", "at load", _package(stranger=True, resample=False)),
    Kind(
        "manifest changed after signing",
        "at load",
        _package(after=by.deafen, resample=False),
    ),
    Kind(
        "weights changed after signing",
        "at load",
        _package(after=by.spoil(INT8_MODEL), resample=False),
    ),
    Kind("model file lost", "at load", _package(after=by.lose(INT8_MODEL), resample=False)),
    Kind("wrong digest", "at load", _other_digest),
    Kind("made for another model type", "at load", by.of_another_type),
    Kind(
        "model is no ONNX",
        "at load",
        _package(before=by.write(INT8_MODEL, b"not a model"), resample=False),
    ),
    Kind(
        "tokenizer is no tokenizer",
        "at load",
        _package(before=by.write(TOKENIZER, b"{}"), resample=False),
    ),
    Kind("wrong tokenizer", "at load", _package(before=by.other_tokenizer, resample=False)),
    Kind("answers NaN", "at load", _package(surgery=by.nan_always)),
    Kind("no sample to check it by", "at load", _package(before=_NO_SAMPLE, resample=False)),
    Kind("promises what it does not hold", "at load", _package(before=_PROMISES, resample=False)),
    Kind("answers under another name", "at load", _package(surgery=by.no_logits, resample=False)),
    Kind(
        "crashes at load", "at load", _package(resample=False), ("ServerCrashes",), signal.SIGKILL
    ),
    Kind("hangs at load", "at load", _package(resample=False), ("NotReady",), signal.SIGSTOP),
    Kind("NaN for longer messages", "on trial", _package(surgery=by.nan_if_long), _FAILS),
    Kind(
        "slow for longer messages",
        "on trial",
        _package(surgery=by.slow_if_long),
        (*_FAILS, "AnswersSlow"),  # failures if it stops answering in time, else a pause
        hard=False,
    ),
    Kind("labels swapped", "on trial", _package(surgery=by.swapped), _ERRS, hard=False),
    Kind(
        "calls everything a scam", "on trial", _package(surgery=by.leaning(50)), _ERRS, hard=False
    ),
    Kind("calls nothing a scam", "on trial", _package(surgery=by.leaning(-50)), _ERRS, hard=False),
    Kind(
        "labels swapped in longer messages",
        "on trial",
        _package(surgery=by.swapped_if_long),
        _ERRS,
        hard=False,
    ),
    Kind(
        "another tokenizer, with samples to match",
        "on trial",
        _package(before=by.other_tokenizer),
        _ERRS,
        hard=False,
    ),
    Kind(
        "crashes later",
        "after promotion",
        _package(resample=False),
        ("ServerCrashes",),
        signal.SIGKILL,
    ),
    Kind("hangs later", "after promotion", _package(resample=False), _FAILS, signal.SIGSTOP),
    Kind(
        "NaN once longer messages come", "after promotion", _package(surgery=by.nan_if_long), _FAILS
    ),
)


class People:
    """Users who scan lures and chat, and report what was judged wrongly; each in a thread.

    All agree that reviewers may read along, and a reviewer decides what waits by what is true.
    """

    def __init__(self, stand: Stand, threads: int = 4) -> None:
        self._stand = stand
        self._threads = [
            threading.Thread(target=self._live, args=(number,), daemon=True)
            for number in range(threads)
        ]
        self._threads.append(threading.Thread(target=self._review, daemon=True))
        self._stop = threading.Event()
        self._truth: dict[str, bool] = {}
        self.write_long = True
        self.answers = 0
        self.failed: list[str] = []

    @contextmanager
    def busy(self) -> Iterator["People"]:
        """Let them scan for as long as the block lasts."""
        for thread in self._threads:
            thread.start()
        yield self
        self._stop.set()
        for thread in self._threads:
            thread.join(10)

    def _live(self, number: int) -> None:
        chance = random.Random(number)
        with _clients(self._stand, number) as clients:
            for client in clients:
                client.set_consent(True)
            while not self._stop.is_set():
                self._scan(chance, chance.choice(clients))
                time.sleep(0.01)

    def _scan(self, chance: random.Random, client: ShieldClient) -> None:
        scam = chance.random() < _SCAM_SHARE
        text = chance.choice(LURES if scam else CHAT)
        words = text.split()
        # Nobody writes the same twice: the model server would answer from its cache.
        words.insert(chance.randrange(len(words)), str(chance.randrange(1000)))
        words = (
            [*words, *chance.sample(_PADDING.split(), _PADDED)] if self.write_long else words[:6]
        )
        text = " ".join(words)
        self._truth[text] = scam
        try:
            scan = client.scan(ScanType.TEXT, text)
            self.answers += 1
            wrong = (scan.verdict == "spam") != scam
            if wrong and self.write_long and chance.random() < 0.7:
                kind = FeedbackType.FALSE_NEGATIVE if scam else FeedbackType.FALSE_POSITIVE
                client.send_feedback(scan.id, kind)
        except ShieldError as error:
            self.failed.append(error.message)

    def _review(self) -> None:
        with self._stand.client("rita", "reviewer") as rita:
            while not self._stop.wait(0.2):
                with suppress(ShieldError):  # decided meanwhile: by its twin, or not readable yet
                    for item in rita.pending(model_type=ModelType.SMS, limit=50):
                        right = (item.corrected_label == "spam") == self._truth[item.scan.text]
                        rita.review(item.id, ReviewAction.APPROVE if right else ReviewAction.REJECT)


@contextmanager
def _clients(stand: Stand, number: int) -> Iterator[list[ShieldClient]]:
    """Open twenty users' clients for one thread."""
    clients = [ShieldClient(stand.url, stand.token(f"user-{number}-{one}")) for one in range(20)]
    try:
        yield clients
    finally:
        for client in clients:
            client.close()


def try_kind(stand: Stand, people: People, first: VersionRef, kind: Kind, name: str) -> Outcome:
    """Release a sabotaged version, and return how it ended; `first` serves before and after."""
    version = kind.build(stand.folder, name)
    analysis = Analysis(
        minimum_latency_samples=20,
        slow_seconds=1.0,
        decisions_per_day=1_000_000,
        messages_per_user=1000,
    )
    half = [Step(weight=50, duration_seconds=600, minimum_exposures=0)]
    asked: dict[str, object] = {"version": version, "steps": half, "analysis": analysis}
    asked |= {"guard_seconds": 600.0, "ready_timeout_seconds": 300.0}
    people.write_long = kind.when == "on trial"
    if kind.hurt is signal.SIGSTOP and kind.when == "at load":
        asked["ready_timeout_seconds"] = 4.0
    with _attacking(kind, version):
        if kind.when == "after promotion":
            said = {"promote_by": "ada", "promote_reason": "Its trial is another test."}
            stand.ask(**asked, **said, promote=version.digest)
            stand.until_stable(version)
            stand.until(lambda it: it.status.split is not None and bool(it.status.split.fallback))
            time.sleep(1.0)  # it answers well for a while
            people.write_long = True
            if kind.hurt is not None:
                assert by.hurt(version, kind.hurt) == 1
        else:
            stand.ask(**asked)
        ended = stand.until(lambda it: _ended(it, version) is not None)
        decided = _ended(ended, version)
    assert decided is not None
    by.hurt(version, signal.SIGKILL)
    stand.ask(version=first, promote=None)
    stand.until(lambda it: it.status.stable == first and it.status.candidate is None)
    return Outcome(decided, _seconds(stand, version, decided.at))


@contextmanager
def _attacking(kind: Kind, version: VersionRef) -> Iterator[None]:
    if kind.hurt is None or kind.when != "at load":
        yield
        return
    stop = threading.Event()
    what = kind.hurt

    def attack() -> None:
        while not stop.wait(0.02):
            by.hurt(version, what)

    thread = threading.Thread(target=attack)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _ended(rollout: ModelRollout, version: VersionRef) -> Decided | None:
    for condition in rollout.status.conditions:
        if condition.reason == "NotReady" and rollout.status.candidate == version:
            return Decided("wait", condition.reason, condition.last_transition_time)
    for done in reversed(rollout.status.history):
        if done.version == version and done.action in ("reject", "undo", "pause"):
            return Decided(done.action, done.reason, done.at)
    return None


def _seconds(stand: Stand, version: VersionRef, decided: datetime) -> float | None:
    """Return how long after its first failed request the version was given up."""
    path = stand.folder / "shield.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        (first,) = connection.execute(
            "SELECT min(at) FROM arm_failures WHERE model_version = ?", (version.name,)
        ).fetchone()
    if first is None:
        return None
    failed_at = datetime.fromisoformat(first)
    if failed_at.tzinfo is None:
        failed_at = failed_at.replace(tzinfo=UTC)
    return (decided - failed_at).total_seconds()
