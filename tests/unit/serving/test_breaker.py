"""When a version is taken out of service, and how it comes back."""

from serving.server.breaker import Breaker, BreakerRule, Fault

RULE = BreakerRule(window=10, max_faults=3, max_slow=6, rest_seconds=5.0)


def test_one_nan_opens_it_for_good() -> None:
    breaker = Breaker(RULE)
    breaker.record(0, Fault.NAN)
    assert breaker.open
    assert not breaker.admits(1e9)


def test_a_few_errors_are_borne_and_too_many_are_not() -> None:
    breaker = Breaker(RULE)
    for now in range(2):
        breaker.record(now, Fault.ERROR)
    assert breaker.admits(2)
    breaker.record(2, Fault.ERROR)
    assert not breaker.admits(2.1)
    assert breaker.fault is Fault.ERROR


def test_old_faults_are_forgotten() -> None:
    breaker = Breaker(RULE)
    for round_ in range(20):
        breaker.record(round_, Fault.ERROR)
        for _ in range(9):
            breaker.record(round_, None)
    assert not breaker.open


def test_after_a_rest_one_call_decides() -> None:
    breaker = Breaker(RULE)
    for _ in range(3):
        breaker.record(0, Fault.ERROR)
    assert not breaker.admits(4.9)
    assert breaker.admits(5.0)
    assert not breaker.admits(5.0)
    breaker.record(5.1, Fault.ERROR)
    assert not breaker.admits(9.0)
    assert breaker.admits(10.2)
    breaker.record(10.3, None)
    assert breaker.admits(10.4)
    assert not breaker.open


def test_every_fault_is_reported_at_once() -> None:
    seen: list[Fault] = []
    breaker = Breaker(RULE, seen.append)
    breaker.record(0, Fault.LATENCY)
    breaker.record(0, None)
    breaker.record(0, Fault.NAN)
    assert seen == [Fault.LATENCY, Fault.NAN]


def test_slow_is_measured_against_the_length_of_the_row() -> None:
    breaker = Breaker(BreakerRule(slow_factor=20, slow_floor_seconds=0.25))
    assert not breaker.is_slow(0.2, expected_seconds=0.002)
    assert breaker.is_slow(0.3, expected_seconds=0.002)
    assert not breaker.is_slow(0.3, expected_seconds=0.05)


def test_many_slow_calls_open_it_but_a_few_do_not() -> None:
    breaker = Breaker(RULE)
    for _ in range(5):
        breaker.record(0, Fault.LATENCY)
    assert not breaker.open
    breaker.record(0, Fault.LATENCY)
    assert breaker.fault is Fault.LATENCY


def test_a_trial_that_never_reaches_the_model_does_not_keep_it_shut_for_ever() -> None:
    breaker = Breaker(RULE)
    for _ in range(3):
        breaker.record(0, Fault.ERROR)
    assert breaker.admits(5.0)
    assert not breaker.admits(9.9)
    assert breaker.admits(10.0)
