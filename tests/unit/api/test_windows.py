"""Rate limits in memory."""

from collections import deque

from hypothesis import given
from hypothesis import strategies as st

from api.kit.windows import MovingWindows


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.floats(0, 40)), max_size=60), st.integers(1, 4)
)
def test_no_window_of_a_minute_ever_holds_more_than_the_limit(
    asked: list[tuple[str, float]], amount: int
) -> None:
    now = 0.0
    windows = MovingWindows(lambda: now)
    passed: dict[str, deque[float]] = {name: deque() for name in "abc"}
    for name, pause in asked:
        now += pause
        wait = windows.hit(amount, 60, name)
        recent = [time for time in passed[name] if time > now - 60]
        if wait:
            assert len(recent) == amount, "refused only when the window is full"
            assert abs(recent[0] + 60 - now - wait) < 1e-6, "the wait ends when there is room"
        else:
            assert len(recent) < amount
            passed[name].append(now)


def test_who_has_not_asked_for_a_window_is_forgotten() -> None:
    now = 0.0
    windows = MovingWindows(lambda: now)
    for number in range(1000):
        windows.hit(5, 60, f"phone-{number}")
    assert len(windows) == 1000
    now = 61.0
    for number in range(600):
        windows.hit(5, 60, f"late-{number % 3}")
    assert len(windows) == 3
