"""How often the operator asks the API for evidence."""

from serving.operator.witness import API_TIMEOUT_SECONDS, pause_after


def test_an_api_that_was_out_of_reach_is_asked_again_at_once_however_long_the_call_hung() -> None:
    for hung in (API_TIMEOUT_SECONDS, 60.0, 600.0):
        assert pause_after(hung, failed=True, evidence_seconds=0.5) == 1.0
    assert pause_after(600.0, failed=True, evidence_seconds=5.0) == 5.0


def test_an_api_that_counts_for_long_is_asked_less_often() -> None:
    assert pause_after(0.01, failed=False, evidence_seconds=0.5) == 0.5
    assert pause_after(4.0, failed=False, evidence_seconds=0.5) == 12.0
