"""A month in the life of an API, for pages that show one: reports, decisions, versions, runs.

Everything goes in by the doors that the pipeline, the operator and people use; the rollout's states
come from the operator's own decision function.
"""

import itertools
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from shield.client import ShieldClient
from shield.crds.v1alpha1 import ArmEvidence, Split
from shield.gates.evidence import Comparison, Slice
from shield.labels import FeedbackType, ModelType, ScanType
from shield.wire import ReviewAction, RunOutcome, RunUpdate, VersionRequest
from tests.support.api import RunningApi
from tests.support.rollouts import version
from tests.support.worlds import World, serving

MESSAGES = [
    "Your parcel waits at the depot. Settle the 1.99 fee: http://parcel-fee.example/{n}",
    "You win a 1000 voucher! Claim within 24 hours at http://claims.example/{n}",
    "Hi mum, I dropped my phone, this is my new number. Can you send 400 for the rent?",
    "We win together or not at all. Training is at six, bring the blue shirts",
    "Bank alert: a transfer of 900 was started. If it was not you, call 0800 000 1{n}",
    "Are you home by seven? I will cook",
]
REPORT = (
    b"<!doctype html><title>Evaluation</title><h1>Evaluation of sms-v2</h1><p>See the figures.</p>"
)


def live_through(api: RunningApi, messages: Sequence[str] = MESSAGES) -> None:
    """Let people report, reviewers decide, the pipeline register and the operator roll out."""
    api.services.artifacts.put("reports/sms/example.html", REPORT, overwrite=True)
    with api.client("pipeline", "service") as pipeline:
        _register(api, pipeline)
        _runs(pipeline)
        _roll_out(api, pipeline)
    _report_and_decide(api, messages)


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


def _register(api: RunningApi, pipeline: ShieldClient) -> None:
    now = api.clock()
    story: list[tuple[str, float, float, str | None, str | None]] = [
        ("sms-v1", 0.86, 0.004, None, None),
        ("sms-v2", 0.93, 0.005, "sms-v1", None),
        ("sms-v3", 0.90, 0.021, "sms-v2", "golden-fpr: false positives rose by 1.6 points"),
        ("sms-v4", 0.95, 0.004, "sms-v2", None),
    ]
    figures = {name: (recall, fpr) for name, recall, fpr, _, _ in story}
    for number, (name, recall, fpr, parent, refusal) in enumerate(story):
        ref = version(name)
        batches = [f"sms-{week:016x}" for week in range(0x5EED, 0x5EED + number)]
        pipeline.register_version(
            ModelType.SMS,
            VersionRequest(
                digest=ref.digest,
                uri=ref.uri,
                parent=parent,
                batches=batches,
                run_id=f"weekly-sms-{number}" if parent else None,
                metrics=_figures(recall, fpr, figures[parent] if parent else None),
                status="refused" if refusal else "candidate",
                refusal=refusal,
                trained_at=now - timedelta(days=7 * (len(story) - number)),
                report_uri="reports/sms/example.html" if parent else None,
            ),
        )


def _runs(pipeline: ShieldClient) -> None:
    steps = {
        "collect": {"seconds": 0.4},
        "build_dataset": {"seconds": 6.1},
        "train": {"seconds": 171.0},
        "evaluate": {"seconds": 22.5},
    }
    outcomes = [
        (RunOutcome.SUCCEEDED, "sms-v2 registered; its rollout has begun.", "sms-v2"),
        (RunOutcome.REFUSED, "golden-fpr: false positives rose by 1.6 points", "sms-v3"),
        (RunOutcome.SKIPPED, "12 approved corrections, 50 are needed.", None),
        (RunOutcome.SUCCEEDED, "sms-v4 registered; its rollout has begun.", "sms-v4"),
    ]
    for number, (outcome, message, made) in enumerate(outcomes, 1):
        run_id = f"weekly-sms-{number}"
        pipeline.start_run(run_id, ModelType.SMS, engine="local", trigger="schedule")
        pipeline.finish_run(
            run_id,
            RunUpdate(
                outcome=outcome,
                message=message,
                version=made,
                report_uri="reports/sms/example.html" if made else None,
                steps=steps if made else {"collect": {"seconds": 0.3}},
            ),
        )


def _roll_out(api: RunningApi, pipeline: ShieldClient) -> None:
    """Bring sms-v2 in and sms-v4 half-way, by the operator's own decisions."""
    url = api.services.rollouts.get("sms").status.split
    assert url is not None
    world = serving("sms-v1")
    world.now = api.clock() - timedelta(days=2)
    world.promote("sms-v2").wait(200)
    world.ask(version="sms-v4").shows(
        ArmEvidence(exposures=900, positives=90, latency_p95_ms=6),
        ArmEvidence(exposures=110, positives=12, latency_p95_ms=6),
    ).wait(11)
    _show(api, world, url.stable_url)
    uid = api.services.rollouts.get("sms").uid
    for transition in world.status.history:
        pipeline.record_transition(ModelType.SMS, uid, transition)


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


def _report_and_decide(api: RunningApi, messages: Sequence[str]) -> None:
    people = itertools.cycle([f"person-{number}" for number in range(9)])
    with api.client("rita", "reviewer") as rita:
        for round_ in range(4):
            for text in messages:
                _report(api, next(people), text.format(n=round_))
            if round_ < 2:
                for item in rita.pending().items[:4]:
                    right = item.feedback_type is FeedbackType.FALSE_POSITIVE or "http" in (
                        item.scan.text
                    )
                    action = ReviewAction.APPROVE if right else ReviewAction.REJECT
                    rita.review(item.id, action, "clear case")


def _report(api: RunningApi, user: str, text: str) -> None:
    with api.client(user) as client:
        scan = client.scan(ScanType.TEXT, text)
        scam = scan.verdict == "spam"
        claim = FeedbackType.FALSE_POSITIVE if scam else FeedbackType.FALSE_NEGATIVE
        client.send_feedback(scan.id, claim, comment="They never write like that" if scam else None)
