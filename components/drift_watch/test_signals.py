"""Every signal fires when it should, and rarely when it should not, however often one looks."""

from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.drift_watch.signals import NAMES, DriftLimits, signals, together
from shield.routing import Arm
from shield.sequential import Counts
from shield.wire import ArmTally, DriftFacts, DriftSignal, DriftVerdict, Tally

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LIMITS = DriftLimits()
HAM = [800, 120, 40, 15, 8, 5, 4, 3, 3, 2]
SCAM = [2, 3, 4, 5, 6, 8, 12, 20, 40, 100]
METRICS = {
    "goldenRecall": 0.95,
    "goldenFpr": 0.005,
    "goldenScores": {"ham": HAM, "scam": SCAM},
}
NOTHING = Tally(events=0, trials=0)
Pair = tuple[int, int]


def facts(
    misses: Pair = (0, 0),
    alarms: Pair = (0, 0),
    own: Pair = (0, 0),
    others: Pair = (0, 0),
    opening: Pair = (0, 0),
    later: Pair = (0, 0),
    scores: list[int] | None = None,
) -> DriftFacts:
    def tally(pair: Pair) -> Tally:
        return Tally(events=pair[0], trials=pair[1])

    return DriftFacts(
        version="sms-v2",
        since=NOW,
        misses=tally(misses),
        false_alarms=tally(alarms),
        arms=[
            ArmTally(version=name, arm=Arm.STABLE, scans=scans, objections=0, errors=errors)
            for name, (errors, scans) in (("sms-v2", own), ("sms-v1", others))
        ],
        opening=tally(opening),
        later=tally(later),
        scores=scores or [0] * 10,
        campaigns=[],
    )


def look(
    metrics: dict[str, object] | None = None,
    taught: Pair = (0, 0),
    new: Pair = (0, 0),
    **seen: Pair | list[int],
) -> dict[str, DriftSignal]:
    given_metrics = METRICS if metrics is None else metrics
    found = signals(facts(**seen), given_metrics, Counts(*taught), Counts(*new), LIMITS)  # type: ignore[arg-type]
    assert tuple(signal.name for signal in found) == NAMES
    return {signal.name: signal for signal in found}


def says(name: str, **seen: Pair | list[int]) -> DriftVerdict:
    return look(**seen)[name].says  # type: ignore[arg-type]


def blend(share: float, strange: float = 0.0) -> np.ndarray:
    """Return how scores fall with a share of scams, and one of messages in the middle."""
    ham, scam = (np.array(part) / sum(part) for part in (HAM, SCAM))
    middle = np.array([0, 0, 0, 0.25, 0.25, 0.25, 0.25, 0, 0, 0])
    known: np.ndarray = share * scam + (1 - share) * ham
    return (1 - strange) * known + strange * middle


def test_too_few_observations_cannot_tell() -> None:
    found = look(
        misses=(5, 10), alarms=(1, 4), own=(9, 9), later=(9, 20), new=(9, 10), scores=[4] * 10
    )
    assert {signal.says for signal in found.values()} == {DriftVerdict.CANNOT_TELL}
    assert together(list(found.values())) is DriftVerdict.CANNOT_TELL


def test_a_champion_that_does_as_promised_is_steady() -> None:
    found = look(
        misses=(6, 120),
        alarms=(2, 400),
        own=(5, 900),
        others=(6, 900),
        opening=(20, 900),
        later=(70, 3000),
        taught=(160, 400),
        new=(24, 60),
        scores=[round(900 * share) for share in blend(0.3)],
    )
    assert {signal.says for signal in found.values()} == {DriftVerdict.STEADY}
    assert all(signal.limit is not None and signal.evidence < 1 for signal in found.values())
    assert together(list(found.values())) is DriftVerdict.STEADY


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("misses", {"misses": (45, 150)}),
        ("false_alarms", {"alarms": (30, 400)}),
        ("complaints", {"own": (60, 1000), "others": (5, 1000)}),
        ("objections", {"opening": (20, 1000), "later": (160, 2000)}),
        ("new_campaigns", {"taught": (160, 400), "new": (58, 60)}),
        ("scores", {"scores": [round(1000 * share) for share in blend(0.3, strange=0.3)]}),
    ],
)
def test_each_signal_asks_for_a_retraining_where_it_sees_drift(
    name: str, seen: dict[str, Pair | list[int]]
) -> None:
    found = look(**seen)  # type: ignore[arg-type]
    assert {signal.name for signal in found.values() if signal.says is DriftVerdict.RETRAIN} == {
        name
    }
    assert found[name].evidence >= 1
    assert together(list(found.values())) is DriftVerdict.RETRAIN


def test_a_version_without_golden_figures_cannot_be_told_of() -> None:
    found = look({}, misses=(90, 100), alarms=(90, 100), scores=[100] * 10)
    assert {found[name].says for name in ("misses", "false_alarms", "scores")} == {
        DriftVerdict.CANNOT_TELL
    }


def test_more_scams_among_the_messages_are_no_drift_of_the_scores() -> None:
    for share in (0.0, 0.02, 0.5, 1.0):
        scores = [round(5000 * part) for part in blend(share)]
        assert says("scores", scores=scores) is DriftVerdict.STEADY


@pytest.mark.parametrize("name", NAMES)
def test_looking_every_week_for_long_alarms_falsely_in_at_most_alpha_of_cases(
    name: str,
) -> None:
    """Each stream stays just within what is allowed; whatever fires is a false alarm."""
    rng = np.random.default_rng(7)
    lives, weeks = (60, 104) if name != "scores" else (40, 52)  # that one takes longer
    false = sum(
        any(says(name, **seen) is DriftVerdict.RETRAIN for seen in _life(name, weeks, rng))
        for _ in range(lives)
    )
    # A sixth of alpha is this signal's: 0.5 of 60 lives expected at most; 4 would be 1 in 500.
    assert false < 4


def _life(name: str, weeks: int, rng: np.random.Generator) -> list[dict[str, Pair | list[int]]]:
    """Return what is seen at the end of each week of a champion at the edge of drift."""

    def grown(rate: float, each: int) -> list[Pair]:
        events = rng.binomial(each, rate, weeks).cumsum()
        return [(int(n), each * (week + 1)) for week, n in enumerate(events)]

    if name == "misses":
        return [{"misses": pair} for pair in grown(0.05 + LIMITS.more_misses, 20)]
    if name == "false_alarms":
        return [{"alarms": pair} for pair in grown(0.005 + LIMITS.more_false_alarms, 100)]
    if name == "complaints":
        others = (int(rng.binomial(2000, 0.01)), 2000)
        streams = grown(0.01 + LIMITS.more_complaints, 200)
        return [{"own": pair, "others": others} for pair in streams]
    if name == "objections":
        opening = (int(rng.binomial(1000, 0.03)), 1000)
        streams = grown(0.03 + LIMITS.more_objections, 300)
        return [{"opening": opening, "later": pair} for pair in streams]
    if name == "new_campaigns":
        taught = (int(rng.binomial(500, 0.3)), 500)
        streams = grown(0.3 + LIMITS.more_new_campaigns, 5)
        return [{"taught": taught, "new": pair} for pair in streams]
    # Half a message in each bin blurs the golden set a little; so not quite at the edge.
    seen = rng.multinomial(100, blend(0.2, strange=0.08), size=weeks).cumsum(axis=0)
    return [{"scores": [int(n) for n in row]} for row in seen]


@settings(deadline=None)  # a busy machine is no fault of the function
@given(
    events=st.integers(0, 400),
    trials=st.integers(50, 400),
    scores=st.lists(st.integers(0, 10_000), min_size=10, max_size=10),
)
def test_whatever_is_seen_a_signal_says_one_of_three_things_and_its_numbers(
    events: int, trials: int, scores: list[int]
) -> None:
    pair = (min(events, trials), trials)
    found = look(
        misses=pair, alarms=pair, own=pair, others=pair, taught=pair, new=pair, scores=scores
    )
    for signal in found.values():
        assert (signal.evidence >= 1) == (signal.says is DriftVerdict.RETRAIN)
        assert 0 <= signal.events <= signal.trials
        assert str(signal.trials) in signal.message or signal.name in ("complaints",)


@settings(deadline=None)
@given(trials=st.integers(50, 2000), events=st.integers(0, 100))
def test_more_misses_are_never_less_evidence(trials: int, events: int) -> None:
    fewer, more = (
        look(misses=(min(events + extra, trials), trials))["misses"].evidence for extra in (0, 5)
    )
    assert more >= fewer - 1e-9
