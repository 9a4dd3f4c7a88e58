"""Versions that start well and then behave badly: rejected on trial, returned within the guard."""

from dataclasses import dataclass, field
from typing import Any

import pytest

from shield.crds.evidence import ArmEvidence, PairedEvidence
from tests.support.worlds import ERRS_MORE, World, serving

GOOD = ArmEvidence(exposures=1000, positives=100, reports=5, verdict_errors=5, latency_p95_ms=5)


@dataclass(frozen=True)
class Kind:
    """How a version misbehaves: what its servers look like, or what the API counts."""

    server: dict[str, Any] = field(default_factory=dict)
    shows: ArmEvidence | None = None
    paired: PairedEvidence | None = None


def arm(**counts: Any) -> ArmEvidence:
    return ArmEvidence(**{"exposures": 300, "positives": 30, "latency_p95_ms": 5.0, **counts})


KINDS = {
    "wrong digest": Kind({"refusal": "The digest does not match."}),
    "crashes at load": Kind({"crashes": 3}),
    "crashes later": Kind({"crashes": 4}),
    "answers NaN, so its server fails": Kind(shows=arm(exposures=0, positives=0, failures=5)),
    "fails every request": Kind(shows=arm(exposures=0, positives=0, failures=3)),
    "fails some requests": Kind(shows=arm(failures=40)),
    "hangs": Kind(shows=arm(exposures=2, positives=0, failures=8)),
    "labels swapped": Kind(shows=arm(positives=270)),
    "calls everything a scam": Kind(shows=arm(positives=300)),
    "errs where the versions disagree": Kind(paired=ERRS_MORE),
}


def misbehave(world: World, kind: Kind) -> World:
    if kind.server:
        world.breaks("sms-v2", **kind.server)
    if kind.shows is not None:
        world.shows(GOOD, kind.shows)
    if kind.paired is not None:
        world.shows(GOOD, GOOD, kind.paired)
    return world.settle()


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_on_trial_it_is_rejected_in_one_look(kind: Kind) -> None:
    world = misbehave(serving().ask(version="sms-v2"), kind)
    assert (world.stable, world.candidate, world.rejected) == ("sms-v1", None, ["sms-v2"])
    assert world.status.split is not None
    assert world.status.split.candidate is None


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_within_the_guard_window_the_last_good_version_returns_in_one_look(kind: Kind) -> None:
    world = misbehave(serving().promote("sms-v2"), kind)
    assert (world.stable, world.rejected) == ("sms-v1", ["sms-v2"])
