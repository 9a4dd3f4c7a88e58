"""Fixtures of the browser tests; the browser itself is shared by the session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.world import world
from tests.support.api import RunningApi


@pytest.fixture
def api(tmp_path: Path) -> Iterator[RunningApi]:
    """Return a running API with pages and one model."""
    with world(tmp_path) as running:
        yield running
