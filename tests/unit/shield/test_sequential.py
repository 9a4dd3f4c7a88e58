import math
import random

import pytest

from shield.sequential import (
    Counts,
    convincing,
    log_evidence_above,
    log_evidence_of_a_change,
    log_evidence_unlike,
    log_evidence_worse,
)

ALPHA = 0.05


def ever_convinced(
    seed: int, candidate_rate: float, stable_rate: float, scans: int, margin: float = 0.0
) -> bool:
    """Look after every 20th scan, as an impatient operator would."""
    chance = random.Random(seed)
    candidate, stable = [0, 0], [0, 0]
    for scan in range(1, scans + 1):
        arm, rate = (candidate, candidate_rate) if chance.random() < 0.3 else (stable, stable_rate)
        arm[0] += chance.random() < rate
        arm[1] += 1
        if scan % 20 == 0 and convincing(
            log_evidence_worse(Counts(*candidate), Counts(*stable), margin), ALPHA
        ):
            return True
    return False


def test_an_equally_good_candidate_is_rarely_rejected_however_often_one_looks() -> None:
    false_alarms = sum(ever_convinced(seed, 0.05, 0.05, 2000) for seed in range(200))
    # 5 % is the promise; 200 tries of a 5 % event exceed 20 with a chance below 1 in 1,000.
    assert false_alarms <= 20


def test_a_classical_test_repeated_as_often_would_reject_many_good_candidates() -> None:
    def z_test_ever_fires(seed: int) -> bool:
        chance = random.Random(seed)
        a, b = [0, 0], [0, 0]
        for scan in range(1, 2001):
            arm = a if chance.random() < 0.3 else b
            arm[0] += chance.random() < 0.05
            arm[1] += 1
            if scan % 20 == 0 and min(a[1], b[1]) > 10:
                pooled = (a[0] + b[0]) / (a[1] + b[1])
                spread = math.sqrt(max(pooled * (1 - pooled), 1e-9) * (1 / a[1] + 1 / b[1]))
                if (a[0] / a[1] - b[0] / b[1]) / spread > 1.645:
                    return True
        return False

    assert sum(z_test_ever_fires(seed) for seed in range(100)) > 15


def test_a_much_worse_candidate_is_found_out_soon() -> None:
    assert all(ever_convinced(seed, 0.30, 0.05, 1000) for seed in range(50))


def test_a_candidate_worse_by_less_than_the_budget_is_rarely_rejected() -> None:
    assert sum(ever_convinced(seed, 0.054, 0.05, 2000, margin=0.005) for seed in range(100)) <= 12


def test_no_traffic_is_no_evidence() -> None:
    nothing, plenty = Counts(0, 0), Counts(50, 1000)
    assert log_evidence_worse(nothing, nothing, 0.0) == 0
    assert log_evidence_worse(nothing, plenty, 0.0) <= 0
    assert log_evidence_worse(Counts(10, 10), nothing, 0.0) <= 0
    assert log_evidence_above(nothing, 0.01) == 0


def test_three_failures_in_three_requests_are_convincing_and_one_is_not() -> None:
    assert convincing(log_evidence_above(Counts(3, 3), 0.01), ALPHA)
    assert not convincing(log_evidence_above(Counts(1, 30), 0.01), ALPHA)


def test_a_rate_below_the_limit_is_never_evidence_against_it() -> None:
    for trials in (1, 10, 1000, 100_000):
        assert log_evidence_above(Counts(trials // 100, trials), 0.02) <= 0


def test_the_edge_of_the_hypothesis_is_searched_exactly() -> None:
    candidate, stable, margin = Counts(30, 200), Counts(10, 400), 0.02
    found = log_evidence_worse(candidate, stable, margin)

    def log_likelihood(counts: Counts, rate: float) -> float:
        return counts.events * math.log(rate) + (counts.trials - counts.events) * math.log(1 - rate)

    def log_mixture(counts: Counts) -> float:
        a, b = counts.events + 0.5, counts.trials - counts.events + 0.5
        return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b) - math.log(math.pi)

    best = max(
        log_likelihood(candidate, rate / 20_000 + margin) + log_likelihood(stable, rate / 20_000)
        for rate in range(1, 18_000)
    )
    assert found == pytest.approx(log_mixture(candidate) + log_mixture(stable) - best, abs=1e-4)


@pytest.mark.parametrize("counts", [Counts(3, 2), Counts(-1, 5)])
def test_counts_that_cannot_be_are_refused(counts: Counts) -> None:
    with pytest.raises(ValueError, match="cannot be"):
        log_evidence_worse(counts, Counts(0, 1), 0.0)


HAM = [300.5, 40.5, 10.5, 5.5, 3.5]
SCAM = [1.5, 2.5, 6.5, 20.5, 120.5]


def test_any_blend_of_two_known_kinds_is_no_evidence_of_a_third() -> None:
    for share in (0.0, 0.1, 0.5, 1.0):
        blend = [
            round(4000 * (share * a / sum(SCAM) + (1 - share) * b / sum(HAM)))
            for a, b in zip(SCAM, HAM, strict=True)
        ]
        assert log_evidence_unlike(blend, HAM, SCAM, 0.0) < 0
        assert log_evidence_unlike(blend, HAM, SCAM, 0.1) < 0


def test_what_neither_kind_explains_is_found_and_a_little_of_it_is_allowed() -> None:
    strange = [700, 90, 350, 40, 100]  # about a quarter in the middle
    assert convincing(log_evidence_unlike(strange, HAM, SCAM, 0.1), ALPHA)
    assert not convincing(log_evidence_unlike(strange, HAM, SCAM, 0.4), ALPHA)
    assert log_evidence_unlike([0] * 5, HAM, SCAM, 0.1) <= 0


def test_an_impossible_bin_that_is_seen_once_is_proof_unless_strangers_are_allowed() -> None:
    assert log_evidence_unlike([5, 1], [1, 0], [1, 0], 0.0) == math.inf
    assert math.isfinite(log_evidence_unlike([5, 1], [1, 0], [1, 0], 0.1))


@pytest.mark.parametrize(
    ("seen", "one", "strange"), [([1], [1, 1], 0.1), ([1, -1], [1, 1], 0.1), ([1, 1], [0, 0], 0.1)]
)
def test_bins_that_cannot_be_are_refused(seen: list[int], one: list[float], strange: float) -> None:
    with pytest.raises(ValueError, match="distributions"):
        log_evidence_unlike(seen, one, [1, 1], strange)


def test_starts_are_averaged_and_only_the_latest_count() -> None:
    assert log_evidence_of_a_change([], 365) == -math.inf
    assert log_evidence_of_a_change([-math.inf], 365) == -math.inf
    assert log_evidence_of_a_change([math.log(8), math.log(4)], 4) == pytest.approx(math.log(3))
    assert log_evidence_of_a_change([1000.0, 0.0, 0.0], 2) == pytest.approx(0.0)
    assert log_evidence_of_a_change([5000.0], 10) == pytest.approx(5000 - math.log(10))
    with pytest.raises(ValueError, match="At least one"):
        log_evidence_of_a_change([0.0], 0)
