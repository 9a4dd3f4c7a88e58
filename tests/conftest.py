"""Fixtures that start real servers; each lives in `tests/support`."""

import pytest

pytest_plugins: list[str] = [
    "tests.support.browser",
    "tests.support.controlplane",
    "tests.support.model_server",
    "tests.support.packages",
    "tests.support.postgres",
    "tests.support.kfp",
    "tests.support.s3",
]


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse to run where pytest-xdist does not group: each worker would start every server."""
    if not session.config.getoption("loadgroup", False):  # set in pytest-xdist's workers
        return
    stray = [
        item.nodeid
        for item in session.items
        if item.get_closest_marker("xdist_group") and "@" not in item.nodeid
    ]
    if stray:
        raise pytest.UsageError(
            f"pytest-xdist left {len(stray)} tests out of their group, {stray[0]} for one. "
            "Its version does not fit pytest's: run `make setup`, which installs the locked ones."
        )
