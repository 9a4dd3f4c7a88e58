"""Every signal fires when it should, and rarely when it should not, however often one looks."""

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.drift_watch.signals import NAMES, OPENING_DAYS, DriftLimits, signals, together
from shield.routing import Arm
from shield.sequential import Counts
from shield.wire import ArmTally, DriftDay, DriftFacts, DriftSignal, DriftVerdict, Tally

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LIMITS = DriftLimits()
HAM = [800, 120, 40, 15, 8, 5, 4, 3, 3, 2]
SCAM = [2, 3, 4, 5, 6, 8, 12, 20, 40, 100]
METRICS = {
    "goldenRecall": 0.95,
    "goldenFpr": 0.005,
    "goldenScores": {"ham": HAM, "scam": SCAM},
}
Pair = tuple[int, int]
Stream = Sequence[Pair]
"""(events, trials) of each day."""
RELEASE, LATER = 0, OPENING_DAYS


def tally(pair: Pair) -> Tally:
    return Tally(events=pair[0], trials=pair[1])


def facts(
    *,
    misses: Stream = (),
    alarms: Stream = (),
    own: Stream = (),
    others: Pair = (0, 0),
    opening: Pair = (0, 0),
    later: Stream = (),
    scores: Sequence[list[int]] = (),
) -> DriftFacts:
    """Return facts in which each stream begins after the opening."""
    nothing = tally((0, 0))
    days = [
        DriftDay(
            number=number,
            misses=tally(m),
            false_alarms=tally(f),
            complaints=tally(c),
            objections=tally(o),
            scores=s,
        )
        for number, (m, f, c, o, s) in enumerate(
            zip_longest(misses, alarms, own, later, scores, fillvalue=None), LATER
        )
        for m, f, c, o in [[one or (0, 0) for one in (m, f, c, o)]]
        for s in [s or [0] * 10]
    ]
    first = DriftDay(
        number=RELEASE,
        misses=nothing,
        false_alarms=nothing,
        complaints=nothing,
        objections=tally(opening),
        scores=[0] * 10,
    )
    other = ArmTally(
        version="sms-v1", arm=Arm.STABLE, scans=others[1], objections=0, errors=others[0]
    )
    return DriftFacts(version="sms-v2", since=NOW, days=[first, *days], arms=[other], campaigns=[])


def look(
    metrics: dict[str, object] | None = None,
    taught: Pair = (0, 0),
    new: Stream = (),
    **seen: Any,
) -> dict[str, DriftSignal]:
    by_day = {day: Counts(*pair) for day, pair in enumerate(new)}
    given = METRICS if metrics is None else metrics
    said = signals(facts(**seen), given, Counts(*taught), by_day, LIMITS)
    assert tuple(signal.name for signal in said) == NAMES
    return {signal.name: signal for signal in said}


def says(name: str, **seen: Any) -> DriftVerdict:
    return look(**seen)[name].says


def blend(share: float, strange: float = 0.0) -> np.ndarray:
    """Return how scores fall with a share of scams, and one of messages in the middle."""
    ham, scam = (np.array(part) / sum(part) for part in (HAM, SCAM))
    middle = np.array([0, 0, 0, 0.25, 0.25, 0.25, 0.25, 0, 0, 0])
    known: np.ndarray = share * scam + (1 - share) * ham
    return (1 - strange) * known + strange * middle


def test_too_few_observations_cannot_tell() -> None:
    found = look(
        misses=[(5, 10)],
        alarms=[(1, 4)],
        own=[(9, 9)],
        later=[(9, 20)],
        new=[(9, 10)],
        scores=[[4] * 10],
    )
    assert {signal.says for signal in found.values()} == {DriftVerdict.CANNOT_TELL}
    assert together(list(found.values())) is DriftVerdict.CANNOT_TELL


def test_a_champion_that_does_as_promised_is_steady() -> None:
    found = look(
        misses=[(6, 120)],
        alarms=[(2, 400)],
        own=[(5, 900)],
        others=(6, 900),
        opening=(20, 900),
        later=[(70, 3000)],
        taught=(160, 400),
        new=[(24, 60)],
        scores=[[round(900 * share) for share in blend(0.3)]],
    )
    assert {signal.says for signal in found.values()} == {DriftVerdict.STEADY}
    assert all(signal.limit is not None and signal.evidence < 1 for signal in found.values())
    assert together(list(found.values())) is DriftVerdict.STEADY


@pytest.mark.parametrize(
    ("name", "seen"),
    [
        ("misses", {"misses": [(45, 150)]}),
        ("false_alarms", {"alarms": [(30, 400)]}),
        ("complaints", {"own": [(60, 1000)], "others": (5, 1000)}),
        ("objections", {"opening": (20, 1000), "later": [(160, 2000)]}),
        ("new_campaigns", {"taught": (160, 400), "new": [(58, 60)]}),
        ("scores", {"scores": [[round(1000 * share) for share in blend(0.3, strange=0.3)]]}),
    ],
)
def test_each_signal_asks_for_a_retraining_where_it_sees_drift(
    name: str, seen: dict[str, Any]
) -> None:
    found = look(**seen)
    assert {signal.name for signal in found.values() if signal.says is DriftVerdict.RETRAIN} == {
        name
    }
    assert found[name].evidence >= 1
    assert together(list(found.values())) is DriftVerdict.RETRAIN


def test_a_version_without_golden_figures_cannot_be_told_of() -> None:
    found = look({}, misses=[(90, 100)], alarms=[(90, 100)], scores=[[100] * 10])
    assert {found[name].says for name in ("misses", "false_alarms", "scores")} == {
        DriftVerdict.CANNOT_TELL
    }


def test_more_scams_among_the_messages_are_no_drift_of_the_scores() -> None:
    for share in (0.0, 0.02, 0.5, 1.0):
        scores = [round(5000 * part) for part in blend(share)]
        assert says("scores", scores=[scores]) is DriftVerdict.STEADY


@pytest.mark.parametrize("age", [0, 30, 300])
def test_the_age_of_a_champion_does_not_hide_what_has_changed(age: int) -> None:
    """Misses go from 7 to 30 %, ten audited scams a day; by cumulated counts it took months."""
    metrics = {**METRICS, "goldenRecall": 0.93}
    seen_after = []
    for seed in range(5):
        rng = np.random.default_rng(seed)
        rates = [0.07] * age + [0.3] * 60
        stream = [(int(rng.binomial(10, rate)), 10) for rate in rates]
        seen_after.append(
            next(
                days
                for days in range(5, 61)
                if look(metrics, misses=stream[: age + days])["misses"].evidence >= 1
            )
        )
    assert sorted(seen_after)[2] <= 21, seen_after


def test_a_signal_that_asks_tells_since_when() -> None:
    stream = [(0, 10)] * 40 + [(5, 10)] * 10
    signal = look(misses=stream)["misses"]
    assert signal.says is DriftVerdict.RETRAIN
    assert "50 of 100 audited scans (50.0%) since day 47 after its release" in signal.message
    assert (signal.events, signal.trials) == (50, 100)
    steady = look(misses=[(0, 10)] * 40)["misses"]
    assert (steady.events, steady.trials) == (0, 400)


_LIVES = {"misses": (10, 104), "false_alarms": (10, 104), "scores": (3, 40)}
"""Champions, and weeks of each; the others take longer to compute."""


@pytest.mark.parametrize("name", NAMES)
def test_looking_every_week_alarms_falsely_in_at_most_alpha_of_years(name: str) -> None:
    """Each stream stays just within what is allowed; whatever fires is a false alarm."""
    rng = np.random.default_rng(7)
    lives, weeks = _LIVES.get(name, (8, 52))
    false = 0
    for _ in range(lives):
        life = _life(name, weeks, rng)
        stream = next(key for key, value in life.items() if len(value) == weeks)
        looks = ({**life, stream: life[stream][: week + 1]} for week in range(weeks))
        false += any(says(name, **seen) is DriftVerdict.RETRAIN for seen in looks)
    # A sixth of alpha a year is this signal's: less than one expected at most.
    assert false < 4


def _life(name: str, weeks: int, rng: np.random.Generator) -> dict[str, Any]:
    """Return what each week of a champion at the edge of drift brings."""

    def each(rate: float, trials: int) -> Stream:
        return [(int(n), trials) for n in rng.binomial(trials, rate, weeks)]

    if name == "misses":
        return {"misses": each(0.05 + LIMITS.more_misses, 20)}
    if name == "false_alarms":
        return {"alarms": each(0.005 + LIMITS.more_false_alarms, 100)}
    if name == "complaints":
        others = (int(rng.binomial(2000, 0.01)), 2000)
        return {"own": each(0.01 + LIMITS.more_complaints, 200), "others": others}
    if name == "objections":
        opening = (int(rng.binomial(1000, 0.03)), 1000)
        return {"later": each(0.03 + LIMITS.more_objections, 300), "opening": opening}
    if name == "new_campaigns":
        taught = (int(rng.binomial(500, 0.3)), 500)
        return {"new": each(0.3 + LIMITS.more_new_campaigns, 5), "taught": taught}
    # Half a message in each bin blurs the golden set a little; so not quite at the edge.
    seen = rng.multinomial(100, blend(0.2, strange=0.08), size=weeks)
    return {"scores": [[int(n) for n in row] for row in seen]}


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
        misses=[pair],
        alarms=[pair],
        own=[pair],
        others=pair,
        taught=pair,
        new=[pair],
        scores=[scores],
    )
    for signal in found.values():
        assert (signal.evidence >= 1) == (signal.says is DriftVerdict.RETRAIN)
        assert 0 <= signal.events <= signal.trials
        assert str(signal.trials) in signal.message or signal.name in ("complaints",)


@settings(deadline=None)
@given(trials=st.integers(50, 2000), events=st.integers(0, 100))
def test_more_misses_are_never_less_evidence(trials: int, events: int) -> None:
    fewer, more = (
        look(misses=[(min(events + extra, trials), trials)])["misses"].evidence for extra in (0, 5)
    )
    assert more >= fewer - 1e-9
