"""Fixtures that start real servers; each lives in `tests/support`."""

pytest_plugins: list[str] = [
    "tests.support.browser",
    "tests.support.controlplane",
    "tests.support.model_server",
    "tests.support.packages",
    "tests.support.postgres",
    "tests.support.kfp",
    "tests.support.s3",
]
