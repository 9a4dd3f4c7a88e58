"""Stopping what waits."""

import os
import threading

import pytest

from shield.stop import Stop
from tests.support.waiting import PATIENCE_SECONDS

NEVER_SECONDS = 100 * PATIENCE_SECONDS


@pytest.mark.timeout(2 * PATIENCE_SECONDS)
def test_a_stop_ends_a_wait_for_a_descriptor_and_for_all_that_wait_later() -> None:
    stop = Stop()
    silent, _ = os.pipe()
    threading.Timer(0.01, stop.set).start()
    assert not stop.wait_for(silent, NEVER_SECONDS)
    stop.set()
    assert not stop.wait_for(silent, NEVER_SECONDS)
    assert stop.wait(NEVER_SECONDS)


def test_what_can_be_read_is_told_apart_from_silence() -> None:
    stop = Stop()
    readable, written = os.pipe()
    assert not stop.wait_for(readable, 0)
    os.write(written, b"word")
    assert stop.wait_for(readable, NEVER_SECONDS)
    stop.set()
    assert stop.wait_for(readable, NEVER_SECONDS), "what was said before the stop is heard"
