"""Fixtures of the browser tests; the browser itself is shared by the session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.world import TEXTS, report, world
from tests.support.api import RunningApi


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    """Return a running API with pages and one model."""
    with world(tmp_path) as running:
        yield running


@pytest.fixture
def queue(api: RunningApi) -> RunningApi:
    """Three different messages wait; they are reported by three people, oldest first."""
    for number, text in enumerate(TEXTS):
        report(api, f"user-{number}", text, comment=f"comment {number}")
    return api
