"""Faults that need no statistics: a version that has died is gone at once, whatever it was."""

from typing import Any

import pytest

from shield.crds.evidence import ArmEvidence
from tests.support.worlds import World, serving

GOOD = ArmEvidence(exposures=100_000, positives=10_000, latency_p95_ms=5)


def died(**counts: Any) -> ArmEvidence:
    """A version that answered a hundred thousand times, and then failed."""
    return GOOD.model_copy(update=counts)


def guarded() -> World:
    return serving().promote("sms-v2")


def test_a_version_that_stops_answering_returns_however_much_it_answered_before() -> None:
    world = guarded().shows(GOOD, died(failures=5, failures_in_a_row=5))
    assert (world.stable, world.rejected) == ("sms-v1", ["sms-v2"])
    assert "AnswersStop" in world.status.history[-1].reason


def test_fewer_failures_in_a_row_than_asked_for_return_nobody() -> None:
    world = guarded().shows(GOOD, died(failures=400, failures_in_a_row=4))
    assert world.stable == "sms-v2"


def test_when_the_other_version_fails_as_well_it_is_no_fault_of_this_one() -> None:
    down = died(failures=50, failures_in_a_row=50)
    assert guarded().shows(down, down).stable == "sms-v2"


def test_servers_that_are_only_starting_are_no_fault_of_their_version() -> None:
    world = guarded().breaks("sms-v2")
    world.shows(GOOD, died(failures=50, failures_in_a_row=50, unreached_in_a_row=50))
    assert world.stable == "sms-v2"


def test_one_crash_that_users_have_felt_is_enough_and_one_that_nobody_felt_is_not() -> None:
    world = guarded().breaks("sms-v2", crashes=1).settle()
    assert world.stable == "sms-v2"
    world.shows(GOOD, died(failures=5, failures_in_a_row=5, unreached_in_a_row=5))
    assert (world.stable, world.rejected) == ("sms-v1", ["sms-v2"])
    assert "ServerCrashes" in world.status.history[-1].reason


def test_evidence_of_a_crash_that_comes_when_the_server_is_back_returns_nobody() -> None:
    world = guarded().breaks("sms-v2", crashes=1, ready=True)
    world.shows(GOOD, died(failures=5, failures_in_a_row=5, unreached_in_a_row=5))
    assert world.stable == "sms-v2"


def test_requests_that_failed_after_a_crash_are_told_as_the_crash() -> None:
    few = ArmEvidence(exposures=19, failures=4, failures_in_a_row=4, unreached_in_a_row=4)
    named = {}
    for crashes in (0, 1):
        world = guarded().breaks("sms-v2", crashes=crashes, ready=True).shows(GOOD, few)
        assert (world.stable, world.rejected) == ("sms-v1", ["sms-v2"])
        named[crashes] = world.status.history[-1].reason
    assert "RequestsFailed" in named[0]
    assert "ServerCrashes" in named[1]
    assert "4 of 23 requests failed" in named[1]


@pytest.mark.parametrize("row", [5, 50])
def test_a_candidate_that_answers_nothing_is_rejected(row: int) -> None:
    world = serving().ask(version="sms-v2")
    world.shows(GOOD, ArmEvidence(failures=row, failures_in_a_row=row))
    assert (world.stable, world.rejected) == ("sms-v1", ["sms-v2"])


def test_while_another_candidate_is_on_trial_its_failures_are_not_the_guarded_ones() -> None:
    world = guarded().ask(version="sms-v3").breaks("sms-v2", crashes=1).settle()
    world.shows(GOOD, died(failures=5, failures_in_a_row=5, unreached_in_a_row=5))
    assert world.stable == "sms-v2"
