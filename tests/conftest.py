"""Fixtures that start real servers; each lives in `tests/support`."""

import os

import pytest
from hypothesis import HealthCheck, settings

# As the steps do: test processes share few cores. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

# A slow machine is no fault of a function.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")

pytest_plugins: list[str] = [
    "tests.support.browser",
    "tests.support.controlplane.fixtures",
    "tests.support.model_server",
    "tests.support.packages",
    "tests.support.postgres",
    "tests.support.kfp",
    "tests.support.s3",
]


LONGEST_FIRST = ("demo", "weekly", "system", "cluster", "training", "drift", "browser", "serving")
"""Groups of pytest-xdist that take minutes. Begun last, one would keep one worker busy alone."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the longest groups first, then the other groups, then what belongs to none."""

    def place(item: pytest.Item) -> int:
        mark = item.get_closest_marker("xdist_group")
        if mark is None:
            return len(LONGEST_FIRST) + 1
        name = mark.args[0]
        return LONGEST_FIRST.index(name) if name in LONGEST_FIRST else len(LONGEST_FIRST)

    items.sort(key=place)


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
