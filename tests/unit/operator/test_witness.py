"""How often the operator asks the API for evidence."""

import socket
import threading
from datetime import datetime
from pathlib import Path

import pytest

from serving.operator.settings import ApiAccess
from serving.operator.witness import API_TIMEOUT_SECONDS, ApiWitness, api_client, pause_after
from shield.crds.evidence import Evidence
from shield.crds.v1alpha1 import ModelRollout, Transition
from shield.errors import Unavailable
from shield.labels import ModelType
from tests.support.waiting import wait_until
from tests.support.worlds import serving


def test_an_api_that_was_out_of_reach_is_asked_again_at_once_however_long_the_call_hung() -> None:
    for hung in (API_TIMEOUT_SECONDS, 60.0, 600.0):
        assert pause_after(hung, failed=True, evidence_seconds=0.5) == 1.0
    assert pause_after(600.0, failed=True, evidence_seconds=5.0) == 5.0


def test_an_api_that_counts_for_long_is_asked_less_often() -> None:
    assert pause_after(0.01, failed=False, evidence_seconds=0.5) == 0.5
    assert pause_after(4.0, failed=False, evidence_seconds=0.5) == 12.0


def test_a_call_that_finds_no_api_ends_after_one_attempt_and_is_not_taken_for_slow_counting(
    tmp_path: Path,
) -> None:
    (tmp_path / "token").write_text("token")
    attempts = list[int]()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def hang_up() -> None:
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                attempts.append(1)
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        access = ApiAccess(url=url, token_file=tmp_path / "token")
        with api_client(access) as api, pytest.raises(Unavailable):
            api.evidence(ModelType.SMS)
    assert len(attempts) == 1


class _Odd:
    """An API behind something that answers once with what is none of ours."""

    def __init__(self, since: datetime) -> None:
        self.since = since
        self.asked, self.recorded = 0, list[int]()

    def evidence(self, model_type: ModelType) -> Evidence:
        """Return evidence, but for the first time."""
        self.asked += 1
        if self.asked == 1:
            raise ValueError("Expecting value: line 1 column 1 (char 0)")
        return Evidence(rollout_started=self.since)

    def record_transition(
        self, model_type: ModelType, rollout_uid: str, transition: Transition
    ) -> None:
        """Record a transition, but for the first time."""
        self.recorded.append(transition.sequence)
        if len(self.recorded) == 1:
            raise KeyError("data")


def test_an_answer_that_is_none_of_ours_ends_neither_the_evidence_nor_the_ledger() -> None:
    world = serving().ask(version="sms-v2")
    rollout = ModelRollout(
        name="sms", uid="uid", resource_version="1", spec=world.spec, status=world.status
    )
    since = world.status.rollout_started
    assert since is not None
    api = _Odd(since)
    witness = ApiWitness(lambda: api, evidence_seconds=0.01, arrived=lambda name: None).start()
    try:
        witness.record(rollout, world.status.history)
        assert witness.evidence(rollout) is None
        wait_until(lambda: witness.evidence(rollout) is not None)
        sequences = [done.sequence for done in world.status.history]
        wait_until(lambda: api.recorded == [sequences[0], *sequences])
    finally:
        witness.stop()
