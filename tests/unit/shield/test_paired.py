import math
import random
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shield.paired import (
    Paired,
    bounds,
    decisions_missing,
    log_evidence_above,
    log_evidence_below,
    share_to_draw,
)

ALPHA = 0.05
ENOUGH = -math.log(ALPHA)


def trial(
    errs: Iterator[int], share: float, chance: random.Random
) -> Iterator[tuple[Paired, float]]:
    """Yield what was seen after every 20th message, and the mean that is to be found."""
    weight, better, worse, total, number = 0.0, 0, 0, 0, 0
    for number, err in enumerate(errs, start=1):
        total += err
        if err and chance.random() < share:
            better, worse = better + (err < 0), worse + (err > 0)
        else:
            weight += share
        if number % 20 == 0:
            yield Paired(weight, better, worse), total / number


def steady(
    mean: float, disagree: float, chance: random.Random, messages: int = 4000
) -> Iterator[int]:
    worse = (disagree + mean) / 2
    for _ in range(messages):
        at = chance.random()
        yield 1 if at < worse else -1 if at < disagree else 0


def in_waves(chance: random.Random) -> Iterator[int]:
    """Bad for a while, then good for a while, never the mean: the lots alone are random."""
    for number in range(4000):
        wave = 1 if number // 500 % 2 == 0 else -1
        yield wave if number % 5 == 0 else 0


def spiteful(share: float, chance: random.Random) -> Iterator[int]:
    """Errs only while the other is ahead: an adversary who knows what was said so far."""
    total = 0
    for _ in range(4000):
        err = 1 if total <= 0 else -1
        total += err
        yield err if chance.random() < 0.2 else 0


@pytest.mark.parametrize("share", [0.1, 1.0])
@pytest.mark.parametrize("kind", ["steady", "waves", "spiteful"])
def test_the_mean_leaves_the_bounds_in_few_trials_however_often_one_looks(
    kind: str, share: float
) -> None:
    tries, left = 60, 0
    for seed in range(tries):
        chance = random.Random(seed)
        errs = {
            "steady": lambda c: steady(0.01, 0.1, c),
            "waves": in_waves,
            "spiteful": lambda c: spiteful(share, c),
        }[kind](chance)
        left += any(
            log_evidence_below(seen, mean) >= ENOUGH or log_evidence_above(seen, mean) >= ENOUGH
            for seen, mean in trial(errs, share, chance)
        )
    # Twice 5 % at most is the promise; 60 tries of a 10 % event exceed 13 once in 200.
    assert left <= 13


def test_shares_that_follow_what_was_seen_leave_the_bounds_true() -> None:
    """Draw much while the version on trial looks bad, little while it looks good."""
    refuted = 0
    for seed in range(100):
        chance = random.Random(seed)
        weight, better, worse = 0.0, 0, 0
        for number, err in enumerate(steady(0.0, 0.1, chance), start=1):
            share = 0.8 if worse > better else 0.1
            if err and chance.random() < share:
                better, worse = better + (err < 0), worse + (err > 0)
            else:
                weight += share
            if number % 20 == 0:
                seen = Paired(weight, better, worse)
                if log_evidence_above(seen, 0.0) >= ENOUGH:
                    refuted += 1
                    break
    assert refuted <= 11


def test_users_of_whom_each_has_few_draws_reject_no_equal_version() -> None:
    """Each user meets errors of one version alone; the users are balanced, their messages not."""
    refuted = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        side = rng.choice([-1, 1], 300)
        better = worse = 0
        for _ in range(300):
            user = int(rng.integers(300))
            better, worse = better + (side[user] < 0), worse + (side[user] > 0)
            if log_evidence_above(Paired(0.0, int(better), int(worse)), 0.0) >= ENOUGH:
                refuted += 1
                break
    assert refuted <= 11


def test_three_points_worse_are_seen_within_three_hundred_decisions() -> None:
    seen_in = 0
    for seed in range(60):
        chance = random.Random(seed)
        for seen, _ in trial(steady(0.03, 0.08, chance, 40_000), 0.12, chance):
            if log_evidence_above(seen, 0.0) >= ENOUGH:
                seen_in += 1
                break
            if seen.better + seen.worse > 300:
                break
    assert seen_in >= 57


def test_no_messages_are_no_evidence() -> None:
    nothing = Paired(0.0, 0, 0)
    assert log_evidence_below(nothing, 0.005) == 0
    assert log_evidence_above(nothing, 0.0) == 0
    assert bounds(nothing, ALPHA) == pytest.approx((-1, 1))
    assert decisions_missing(nothing, 0.005, ALPHA) is None


def test_versions_that_hardly_ever_disagree_need_no_decision() -> None:
    """Whoever was right, they cannot differ by more than they disagree."""
    assert log_evidence_below(Paired(3000.0, 0, 0), 0.005) > ENOUGH
    assert log_evidence_above(Paired(3000.0, 0, 0), 0.0) <= 0


def test_the_most_that_counts_of_one_user_rejects_nobody() -> None:
    assert log_evidence_above(Paired(0.0, 0, 5), 0.0) < math.log(3 / ALPHA)


def test_what_waits_speaks_for_neither_side() -> None:
    seen, waiting = Paired(300.0, 20, 5), Paired(300.0, 20, 5, undecided=10)
    assert log_evidence_below(waiting, 0.005) < log_evidence_below(seen, 0.005)
    other, waits = Paired(300.0, 5, 20), Paired(300.0, 5, 20, undecided=10)
    assert log_evidence_above(waits, 0.0) < log_evidence_above(other, 0.0)


def test_missing_decisions_are_those_that_would_do() -> None:
    seen = Paired(100.0, 6, 3)
    missing = decisions_missing(seen, 0.005, ALPHA)
    assert missing is not None
    times = 1 + missing / 9
    grown = Paired(times * 100, math.ceil(times * 6), math.floor(times * 3))
    assert log_evidence_below(grown, 0.005) >= ENOUGH
    assert decisions_missing(Paired(1000.0, 100, 2), 0.005, ALPHA) == 0
    assert decisions_missing(Paired(100.0, 3, 30), 0.005, ALPHA) is None


@settings(max_examples=200, deadline=None)
@given(
    st.floats(0, 1e6),
    st.integers(0, 500),
    st.integers(0, 500),
    st.integers(0, 50),
    st.floats(-1, 1),
)
def test_evidence_is_a_number_and_falls_with_what_speaks_against_it(
    weight: float, better: int, worse: int, undecided: int, margin: float
) -> None:
    seen = Paired(weight, better, worse, undecided)
    found = log_evidence_below(seen, margin)
    assert found < math.inf
    assert log_evidence_below(seen._replace(worse=worse + 1), margin) <= found
    assert log_evidence_below(seen, min(1.0, margin + 0.1)) >= found
    low, high = bounds(seen, ALPHA)
    assert -1 <= low <= high <= 1


@pytest.mark.parametrize(
    ("seen", "margin"),
    [(Paired(-1.0, 0, 0), 0.0), (Paired(math.nan, 0, 0), 0.0), (Paired(0.0, 0, 0), 1.5)],
)
def test_counts_that_cannot_be_are_refused(seen: Paired, margin: float) -> None:
    with pytest.raises(ValueError, match="not"):
        log_evidence_below(seen, margin)


def test_as_much_is_drawn_as_reviewers_decide() -> None:
    day = 86400.0
    assert share_to_draw(60, 0, 0, 0.0, 0) == pytest.approx(60 / 96)
    assert share_to_draw(60, 599, 0, day, 0) == pytest.approx(0.1)
    assert share_to_draw(60, 10, 10, day, 0) == 1.0
    assert share_to_draw(60, 600, 60, day, 0) == 0.0
    assert share_to_draw(60, 600, 0, day, 60) == 0.0
