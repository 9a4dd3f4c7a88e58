"""A month in the life of an API, for pages that show one: reports, decisions, versions, runs.

Everything goes in by the doors that the pipeline, the operator and people use; the rollout's states
come from the operator's own decision function.
"""

import hashlib
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, NamedTuple

from components.drift_watch import step as drift_watch
from components.drift_watch.signals import DriftLimits
from shield.client import ShieldClient
from shield.comparison import Answers
from shield.crds.evidence import ArmEvidence
from shield.crds.v1alpha1 import Split
from shield.gates.evidence import Comparison, Slice
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import GoldRequest, ReviewAction, RunOutcome, RunUpdate, ScanRead, VersionRequest
from tests.support.api import RunningApi
from tests.support.rollouts import spec, version
from tests.support.worlds import QUICK, World

DAY_SECONDS = 86400
DAYS = 27
PEOPLE = 17


class Message(NamedTuple):
    """A message and what it really is. `{n}` becomes a running number."""

    text: str
    scam: bool


MESSAGES = [
    Message("Your parcel waits at the depot. Settle the 1.99 fee: http://fee.example/{n}", True),
    Message("You win a 1000 voucher! Claim within 24 hours at http://claims.example/{n}", True),
    Message("Hi mum, I dropped my phone, this is my new number. Can you send 400?", True),
    Message("We win together or not at all. Training is at six, bring the blue shirts", False),
    Message("Bank alert: a transfer of 900 was started. Not you? Call 0800 000 1{n}", True),
    Message("Are you home by seven? I will cook", False),
]
FLOOD = [
    f"{bank}: your new device is being paired. If this was not you, stop it here: {link}"
    for bank, link in (
        ("N\u043erth B\u0430nk", "http://n-bank.example@198.51.100.7/stop"),
        ("North Bank", "http://n-bank.example/stop/4711"),
        ("N\u043erth Bank", "http://n-bank.example/stop/4712"),
        ("North B\u200bank", "http://n-bank.example/stop/4713"),
        ("North Bank", "http://n-bank.example/stop/4714"),
        ("NORTH BANK", "http://n-bank.example/stop/4715"),
    )
]
"""A message from accounts that were never seen before, in disguises that campaigns fold."""


def report_of(name: str) -> bytes:
    """Return a report of a version on 400 messages, of which it judges some otherwise than others.

    A scam is found where its number, stretched by the version's recall, falls low enough.
    """
    made, rows = VERSIONS[name], range(400)
    scam = [row % 2 == 1 for row in rows]
    rate = {True: made.recall, False: made.fpr}
    scores = [0.9 if (row * 0.618034) % 1 < rate[scam[row]] else 0.1 for row in rows]
    answers = Answers(
        challenger=version(name).digest,
        budget=0.01,
        ids=[f"golden-{row}" for row in rows],
        sets=["golden"] * len(rows),
        scam=scam,
        scores=scores,
        texts=[f"your parcel {'0' * 4} waits, pay at [link]" if yes else "see you" for yes in scam],
        kinds={"language": ["de" if row % 3 else "en" for row in rows]},
    )
    head = f"<!doctype html><title>Evaluation</title><h1>Evaluation of {name}</h1>"
    return f"{head}<p>See the figures.</p>{answers.embedded()}".encode()


def live_through(api: RunningApi, messages: Sequence[Message] = MESSAGES) -> None:
    """Let people report, reviewers decide, the pipeline register and the operator roll out.

    At the end a flood is under way: new accounts report one message in many wordings.
    """
    for name in VERSIONS:
        api.services.artifacts.put(f"reports/sms/{name}.html", report_of(name), overwrite=True)
    numbers = itertools.count(1)
    told = itertools.cycle(messages)
    api.clock.move_on(-DAYS * DAY_SECONDS)
    with (
        api.client("pipeline", "pipeline") as pipeline,
        api.client("rita", "reviewer", "admin") as rita,
        api.client("paul", "reviewer") as paul,
    ):
        _register(api, pipeline, "sms-v1")
        _agree_to_the_sample(api)
        for day in range(DAYS):
            for _ in range(3 + day % 3):
                _live(api, next(told), next(numbers))
            if day % 8 == 1:
                _seed_gold(rita, messages[day % len(messages)], next(numbers))
            if day % 3 == 2:
                _review(rita, messages, careful=True)
                _review(paul, messages, careful=day % 4 > 0)
            if day in RUNS:
                _retrain(api, pipeline, day)
            api.clock.move_on(DAY_SECONDS)
        _roll_out(api)
        for message in [*messages, *messages]:
            _live(api, message, next(numbers))
        _look_for_drift(api, pipeline)
        _flood(api)


def _look_for_drift(api: RunningApi, pipeline: ShieldClient) -> None:
    """Look as the pipeline does every day, with less to go by than a month of a busy site."""
    with tempfile.TemporaryDirectory() as folder:
        drift_watch.run(
            pipeline,
            api.services.artifacts,
            Path(folder) / "report.json",
            model_type=ModelType.SMS,
            run_id=f"drift-sms-{api.clock():%Y%m%dT%H%M%SZ}",
            now=api.clock(),
            limits=DriftLimits(least=10, least_campaigns=2),
            cache=Path(folder),
        )


def _flood(api: RunningApi) -> None:
    for number, wording in enumerate(FLOOD):
        with api.client(f"newcomer-{number}") as client:
            scan = client.scan(ScanType.TEXT, wording)
            comment = "My bank never writes like this" if number == 1 else None
            client.send_feedback(scan.id, _contradiction(scan), comment=comment)


@contextmanager
def _somebody(api: RunningApi, number: int) -> Iterator[ShieldClient]:
    with api.client(f"person-{number % PEOPLE}") as client:
        yield client


def _live(api: RunningApi, message: Message, number: int) -> None:
    """One message arrives; three in four say so when the verdict is wrong, and a few just lie."""
    with _somebody(api, number) as client:
        scan = client.scan(ScanType.TEXT, message.text.format(n=number))
        wrong = (scan.verdict == "spam") != message.scam
        lies = number % 9 == 0
        if (wrong and number % 4) or lies:
            comment = None if lies or number % 2 else "Checked with the sender"
            client.send_feedback(scan.id, _contradiction(scan), comment=comment)
        elif not wrong and number % 11 == 0:
            client.send_feedback(scan.id, FeedbackType.CONFIRMED)


def _contradiction(scan: ScanRead) -> FeedbackType:
    scam = scan.verdict == "spam"
    return FeedbackType.FALSE_POSITIVE if scam else FeedbackType.FALSE_NEGATIVE


def _agree_to_the_sample(api: RunningApi) -> None:
    for number in range(PEOPLE):
        with _somebody(api, number) as client:
            client.set_consent(number % 3 > 0)


def _seed_gold(admin: ShieldClient, message: Message, number: int) -> None:
    """Mix in an item whose answer is known: a report of a harmless message as a scam, or true."""
    admin.seed_gold(
        GoldRequest(
            scan_type=ScanType.TEXT,
            text=message.text.format(n=number),
            verdict="ham",
            feedback_type=FeedbackType.FALSE_NEGATIVE,
            answer=ReviewAction.APPROVE if message.scam else ReviewAction.REJECT,
        )
    )


def _review(reviewer: ShieldClient, messages: Sequence[Message], *, careful: bool) -> None:
    """Decide by what the messages really are; some are left for the next time.

    Who is not careful agrees with whatever is reported.
    """
    for _ in range(3):
        item = next(iter(reviewer.pending().items), None)
        if item is None:
            break
        known = {message.text.split("{n}")[0][:30]: message.scam for message in messages}
        truth = known[next(start for start in known if item.scan.text.startswith(start))]
        right = (item.corrected_label == "spam") == truth or not careful
        reviewer.review(item.id, ReviewAction.APPROVE if right else ReviewAction.REJECT)


def _figures(recall: float, fpr: float, before: tuple[float, float] | None) -> dict[str, Any]:
    accuracy = 0.13 * recall + 0.87 * (1 - fpr)
    found: dict[str, Any] = {"goldenRecall": recall, "goldenFpr": fpr, "goldenAccuracy": accuracy}
    found |= {"goldenSize": 1100.0, "freshRecall": recall - 0.03, "threshold": 0.5}
    if before is not None:
        was = 0.13 * before[0] + 0.87 * (1 - before[1])
        found |= {
            "goldenChampionRecall": before[0],
            "goldenChampionFpr": before[1],
            "goldenChampionAccuracy": was,
            "freshChampionRecall": before[0] - 0.24,
            "goldenRecallGain": recall - before[0],
            "goldenRecallGainLow": recall - before[0] - 0.02,
            "goldenRecallGainHigh": recall - before[0] + 0.02,
            "goldenGain": accuracy - was,
            "goldenGainLow": accuracy - was - 0.003,
            "goldenGainHigh": accuracy - was + 0.003,
            "goldenPositives": 145.0,
            "gate": {"enough-feedback": "passed", "golden-recall": "passed", "slices": "passed"},
            "slices": [
                Slice(dimension=kind, value=value, comparison=compared).model_dump(by_alias=True)
                for kind, value, compared in (
                    ("length", "up to 40 characters", Comparison(tp=8, fn=2, fp=1, tn=240)),
                    (
                        "link",
                        "with link",
                        Comparison(tp=61, fn=3, fp=2, tn=30, scams_won=9, hams_lost=1),
                    ),
                    ("link", "without link", Comparison(tp=70, fn=11, fp=3, tn=920, scams_won=4)),
                )
            ],
        }
    return found


class Made(NamedTuple):
    """A version in the story."""

    recall: float
    fpr: float
    parent: str | None = None
    refusal: str | None = None


VERSIONS = {
    "sms-v1": Made(0.86, 0.004),
    "sms-v2": Made(0.93, 0.005, "sms-v1"),
    "sms-v3": Made(0.90, 0.021, "sms-v2", "golden-fpr: false positives rose by 1.6 points"),
    "sms-v4": Made(0.96, 0.004, "sms-v2"),
}
RUNS = {
    6: (RunOutcome.SUCCEEDED, "sms-v2 registered; its rollout has begun.", "sms-v2"),
    13: (RunOutcome.REFUSED, "golden-fpr: false positives rose by 1.6 points", "sms-v3"),
    20: (RunOutcome.SKIPPED, "12 approved corrections, 50 are needed.", None),
    26: (RunOutcome.SUCCEEDED, "sms-v4 registered; its rollout has begun.", "sms-v4"),
}
STEPS = {"collect": 0.4, "build_dataset": 6.1, "train": 171.0, "evaluate": 22.5, "gate": 0.1}


def _register(api: RunningApi, pipeline: ShieldClient, name: str, run: str | None = None) -> None:
    made = VERSIONS[name]
    before = VERSIONS[made.parent] if made.parent else None
    number = list(VERSIONS).index(name)
    ref = version(name)
    pipeline.register_version(
        ModelType.SMS,
        VersionRequest(
            digest=ref.digest,
            uri=ref.uri,
            parent=made.parent,
            batches=[_batch(week) for week in range(number)],
            run_id=run,
            metrics=_figures(
                made.recall, made.fpr, (before.recall, before.fpr) if before else None
            ),
            status="refused" if made.refusal else "candidate",
            refusal=made.refusal,
            trained_at=api.clock(),
            report_uri=f"reports/sms/{name}.html" if run else None,
        ),
    )


def _batch(week: int) -> str:
    return f"sms-{hashlib.sha256(f'week {week}'.encode()).hexdigest()[:16]}"


def _retrain(api: RunningApi, pipeline: ShieldClient, day: int) -> None:
    outcome, message, made = RUNS[day]
    run_id = f"weekly-sms-{api.clock():%Y-%m-%d}-{hashlib.sha256(bytes([day])).hexdigest()[:20]}"
    pipeline.start_run(run_id, ModelType.SMS, engine="local", trigger="schedule")
    steps = {name: {"seconds": STEPS[name]} for name in (STEPS if made else ["collect"])}
    api.clock.move_on(sum(step["seconds"] for step in steps.values()))
    if made:
        _register(api, pipeline, made, run_id)
    pipeline.finish_run(
        run_id,
        RunUpdate(
            outcome=outcome,
            message=message,
            version=made,
            report_uri=f"reports/sms/{made}.html" if made else None,
            steps=steps,
        ),
    )


def _roll_out(api: RunningApi) -> None:
    """Bring sms-v2 in and sms-v4 half-way, by the operator's own decisions."""
    url = api.services.rollouts.get("sms").status.split
    assert url is not None
    world = World(spec("sms-v1", steps=QUICK, guard_seconds=100))
    world.now = api.clock() - timedelta(days=DAYS)
    world.settle()
    world.now = api.clock() - timedelta(days=20)
    world.promote("sms-v2").wait(200)
    world.now = api.clock() - timedelta(hours=1)
    world.ask(version="sms-v4").shows(
        ArmEvidence(exposures=900, positives=90, latency_p95_ms=6),
        ArmEvidence(exposures=110, positives=12, latency_p95_ms=6),
    ).wait(11)
    _show(api, world, url.stable_url)
    uid = api.services.rollouts.get("sms").uid
    with api.client("operator", "operator") as operator:
        for transition in world.status.history:
            operator.record_transition(ModelType.SMS, uid, transition)


def _show(api: RunningApi, world: World, url: str) -> None:
    split = world.status.split
    assert split is not None
    served = Split.model_validate(
        {**split.model_dump(), "stable_url": url, "candidate_url": url, "fallback_url": None}
        | {"fallback": None}
    )
    api.services.rollouts.change_spec("sms", lambda _: world.spec)
    status = world.status.model_copy(
        update={"split": served, "rollout_started": api.clock() - timedelta(minutes=1)}
    )
    api.services.rollouts.write_status(api.services.rollouts.get("sms"), status)
