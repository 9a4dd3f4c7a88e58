"""Which arm serves which user."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shield.routing import Arm, arm_for, bucket

weights = st.floats(0, 100)


@given(st.text(), weights, st.text())
def test_the_same_user_always_gets_the_same_arm(user, weight, salt):
    assert arm_for(user, weight, salt) is arm_for(user, weight, salt)


@given(st.text(), weights, weights, st.text())
def test_a_rising_weight_moves_users_only_towards_the_candidate(user, one, other, salt):
    low, high = sorted((one, other))
    if arm_for(user, low, salt) is Arm.CANDIDATE:
        assert arm_for(user, high, salt) is Arm.CANDIDATE


@given(st.text(), st.text())
def test_nobody_is_on_the_candidate_at_zero_and_everybody_at_a_hundred(user, salt):
    assert arm_for(user, 0, salt) is Arm.STABLE
    assert arm_for(user, 100, salt) is Arm.CANDIDATE


@pytest.mark.parametrize("weight", [1, 10, 25, 50, 90])
def test_the_split_is_right_within_half_a_point_at_a_hundred_thousand_users(weight):
    users = 100_000
    on_candidate = sum(arm_for(f"user-{n}", weight, "r1") is Arm.CANDIDATE for n in range(users))
    assert abs(100 * on_candidate / users - weight) <= 0.5


def test_another_salt_draws_other_users():
    first = {n for n in range(20_000) if bucket(str(n), "rollout-1") < 0.1}
    second = {n for n in range(20_000) if bucket(str(n), "rollout-2") < 0.1}
    assert 0.05 < len(first & second) / len(first) < 0.15  # a tenth by chance


@settings(max_examples=20)
@given(st.one_of(st.floats(max_value=-0.001), st.floats(min_value=100.001), st.just(float("nan"))))
def test_a_weight_that_is_no_percentage_is_refused(weight):
    with pytest.raises(ValueError, match="percentage from 0 to 100"):
        arm_for("anybody", weight, "salt")
