"""How often the operator asks the API for evidence."""

import socket
import threading
from pathlib import Path

import pytest

from serving.operator.settings import ApiAccess
from serving.operator.witness import API_TIMEOUT_SECONDS, api_client, pause_after
from shield.errors import Unavailable
from shield.labels import ModelType


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
