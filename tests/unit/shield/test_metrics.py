import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn import metrics as reference

from shield.metrics import (
    Counts,
    area_under_roc,
    brier_score,
    chance_of_at_least,
    count,
    enough_hams,
    expected_calibration_error,
    mcnemar_p_value,
    most_flagged,
    operating_point,
    paired_bootstrap,
    paired_difference_interval,
    recall_at_fpr,
    roc_points,
    sign_test,
    threshold_for_fpr,
    wilson_interval,
)

booleans = st.lists(st.booleans(), min_size=1, max_size=60)
scores = st.lists(st.floats(0, 1, width=32), min_size=1, max_size=60)


def test_counts_and_rates_of_a_known_table():
    scam = np.array([1, 1, 1, 0, 0, 0, 0, 0], dtype=bool)
    flagged = np.array([1, 1, 0, 1, 0, 0, 0, 0], dtype=bool)
    counted = count(scam, flagged)
    assert counted == Counts(tp=2, fn=1, fp=1, tn=4)
    assert (counted.recall, counted.precision) == (2 / 3, 2 / 3)
    assert (counted.fpr, counted.accuracy, counted.f1) == (1 / 5, 6 / 8, 2 / 3)


def test_a_rate_over_nothing_is_undefined_and_not_zero():
    nothing = Counts(0, 0, 0, 0)
    assert (nothing.recall, nothing.precision, nothing.fpr, nothing.accuracy, nothing.f1) == (
        (None,) * 5
    )


def test_unpaired_answers_are_refused():
    with pytest.raises(ValueError, match="One verdict per message"):
        count(np.ones(3, dtype=bool), np.ones(2, dtype=bool))
    with pytest.raises(ValueError, match="Paired answers needed"):
        mcnemar_p_value(np.ones(3, dtype=bool), np.ones(2, dtype=bool))


@given(st.integers(0, 500), st.integers(0, 500), st.sampled_from([0.8, 0.9, 0.95, 0.99]))
def test_the_wilson_interval_is_scipys(successes: int, failures: int, confidence: float):
    n = successes + failures
    low, high = wilson_interval(successes, n, confidence)
    if n == 0:
        assert (low, high) == (0.0, 1.0)
        return
    expected = stats.binomtest(successes, n).proportion_ci(confidence, method="wilson")
    assert (low, high) == pytest.approx((expected.low, expected.high), abs=1e-9)
    assert 0 <= low <= successes / n <= high <= 1


@given(st.integers(0, 300), st.integers(0, 300))
def test_the_sign_test_is_the_exact_binomial_test(lost: int, won: int):
    if lost + won == 0:
        assert sign_test(0, 0) == 1.0
        return
    expected = stats.binomtest(lost, lost + won, 0.5, alternative="greater").pvalue
    assert sign_test(lost, won) == pytest.approx(expected, rel=1e-9)


@given(booleans, st.randoms(use_true_random=False))
def test_mcnemar_does_not_care_which_model_is_called_the_champion(right: list[bool], random):
    first = np.array(right)
    second = np.array([random.random() < 0.5 for _ in right])
    p = mcnemar_p_value(first, second)
    assert p == mcnemar_p_value(second, first)
    assert 0 <= p <= 1
    lost, won = int((first & ~second).sum()), int((~first & second).sum())
    if lost + won:
        assert p == pytest.approx(stats.binomtest(lost, lost + won, 0.5).pvalue, rel=1e-9)
    else:
        assert p == 1.0


@given(st.integers(0, 80), st.integers(0, 80), st.integers(0, 3000))
def test_a_difference_lies_in_its_interval_and_turns_its_sign_with_the_models(
    lost: int, won: int, agreed: int
):
    n = lost + won + agreed
    if n == 0:
        return
    fall = paired_difference_interval(lost, won, n)
    rise = paired_difference_interval(won, lost, n)
    assert fall.low <= fall.estimate <= fall.high
    assert (rise.low, rise.high) == pytest.approx((-fall.high, -fall.low))


@pytest.mark.parametrize(("fall", "disagreement"), [(0.0, 0.02), (0.01, 0.03), (0.005, 0.01)])
def test_the_paired_interval_holds_as_often_as_it_says(fall: float, disagreement: float):
    rng = np.random.default_rng(5)
    n, cycles = 1000, 4000
    lost_share, won_share = (disagreement + fall) / 2, (disagreement - fall) / 2
    drawn = rng.multinomial(n, [lost_share, won_share, 1 - disagreement], size=cycles)
    below = sum(
        paired_difference_interval(int(lost), int(won), n).high < fall for lost, won, _ in drawn
    )
    # 5 % may miss on this side; the rest is the chance of this test's own 4,000 draws.
    assert below / cycles <= 0.057


def test_the_bootstrap_agrees_with_the_normal_interval_and_repeats_itself():
    rng = np.random.default_rng(0)
    champion = (rng.random(2000) < 0.9).astype(float)
    challenger = (rng.random(2000) < 0.93).astype(float)
    one = paired_bootstrap(champion, challenger, np.random.default_rng(1))
    two = paired_bootstrap(champion, challenger, np.random.default_rng(1))
    assert one == two
    gain = challenger - champion
    reach = 1.96 * gain.std() / math.sqrt(gain.size)
    assert one.low == pytest.approx(gain.mean() - reach, abs=0.004)
    assert one.high == pytest.approx(gain.mean() + reach, abs=0.004)


def test_near_identical_messages_do_not_narrow_the_interval():
    rng = np.random.default_rng(2)
    champion = rng.integers(0, 2, 40).astype(float)
    challenger = rng.integers(0, 2, 40).astype(float)
    copies = np.repeat(np.arange(40), 25)
    alone = paired_bootstrap(champion, challenger, np.random.default_rng(3))
    naive = paired_bootstrap(champion[copies], challenger[copies], np.random.default_rng(3))
    honest = paired_bootstrap(
        champion[copies], challenger[copies], np.random.default_rng(3), groups=copies
    )
    assert naive.high - naive.low < (alone.high - alone.low) / 3
    assert honest.high - honest.low == pytest.approx(alone.high - alone.low, rel=0.1)


@given(scores, st.data())
def test_the_curve_and_its_area_are_scikit_learns(values: list[float], data):
    truth = data.draw(st.lists(st.booleans(), min_size=len(values), max_size=len(values)))
    scam, score = np.array(truth), np.array(values)
    if scam.all() or not scam.any():
        with pytest.raises(ValueError, match="needs scams and harmless"):
            roc_points(scam, score)
        return
    fpr, tpr, _ = reference.roc_curve(scam, score, drop_intermediate=False)
    points = roc_points(scam, score)
    assert [p.fpr for p in points] == pytest.approx(fpr.tolist())
    assert [p.tpr for p in points] == pytest.approx(tpr.tolist())
    assert area_under_roc(scam, score) == pytest.approx(reference.roc_auc_score(scam, score))


def test_a_thinned_curve_keeps_its_ends():
    rng = np.random.default_rng(0)
    points = roc_points(rng.random(5000) < 0.3, rng.random(5000), most=100)
    assert len(points) <= 100
    assert points[0][:2] == (0.0, 0.0)
    assert points[-1][:2] == (1.0, 1.0)


@given(scores, st.floats(0, 0.99))
def test_the_threshold_keeps_the_budget_and_no_lower_one_does(values: list[float], budget: float):
    ham = np.array(values)
    if np.sum(ham >= 1.0) > math.floor(budget * ham.size):
        with pytest.raises(ValueError, match="no threshold keeps the budget"):
            threshold_for_fpr(ham, budget)
        return
    threshold = threshold_for_fpr(ham, budget)
    assert 0 < threshold <= 1
    assert np.sum(ham >= threshold) <= math.floor(budget * ham.size)
    lower = ham[ham < threshold].max()
    assert np.sum(ham >= lower) > math.floor(budget * ham.size)


@pytest.mark.parametrize(
    ("n", "budget", "most"),
    [(100, 0.01, 0), (229, 0.01, 0), (388, 0.01, 1), (1000, 0.01, 5), (10_000, 0.01, 86)],
)
def test_so_many_may_be_flagged_that_the_budget_is_surely_kept(n: int, budget: float, most: int):
    assert most_flagged(n, budget) == most
    if most:  # by the definition of Clopper and Pearson's bound
        assert (
            chance_of_at_least(most + 1, n, budget) >= 0.9 > chance_of_at_least(most + 2, n, budget)
        )


def test_with_more_messages_more_of_the_budget_can_be_spent():
    spent = [most_flagged(n, 0.01) / n for n in (300, 1000, 3000, 100_000, 1_000_000)]
    assert spent == sorted(spent)
    assert spent[-1] > 0.0098
    assert enough_hams(0.01) == 230
    assert most_flagged(229, 0.01, 0.9) == 0


margins = st.lists(st.floats(-50, 50, width=32), min_size=1, max_size=400)


@given(margins, st.floats(0.001, 0.3))
def test_the_operating_point_spends_what_is_allowed_and_no_more(values: list[float], budget: float):
    ham = np.array(values)
    most = most_flagged(ham.size, budget)
    point = operating_point(ham, budget)
    assert np.sum(ham >= point) <= most
    lower = ham[ham < point].max()
    assert np.sum(ham >= lower) > most, "the next lower one would flag too many"


def test_an_operating_point_needs_messages_and_a_budget():
    with pytest.raises(ValueError, match="there are none"):
        operating_point(np.array([]), 0.01)
    with pytest.raises(ValueError, match="between 0 and 1"):
        operating_point(np.array([0.1]), 0.0)


def test_recall_at_a_budget_counts_only_what_the_budget_allows():
    scam = np.array([True] * 4 + [False] * 100)
    score = np.concatenate([[0.9, 0.8, 0.6, 0.2], [0.7], np.full(99, 0.1)])
    assert recall_at_fpr(scam, score, 0.0) == 0.5
    assert recall_at_fpr(scam, score, 0.01) == 1.0
    assert recall_at_fpr(scam, np.ones(104), 0.01) == 0.0


def test_a_calibrated_model_has_no_error_and_a_boaster_has_one():
    scam = np.array([True] * 75 + [False] * 25)
    assert expected_calibration_error(scam, np.full(100, 0.75)) == pytest.approx(0)
    assert expected_calibration_error(scam, np.full(100, 1.0)) == pytest.approx(0.25)
    assert brier_score(scam, np.full(100, 1.0)) == pytest.approx(0.25)
