"""The sizes in docs/operations.md follow from the measured figures."""

from bench.scans import sizing


def test_the_page_says_what_was_measured() -> None:
    page = sizing.PAGE.read_text()
    assert sizing.written(page, sizing.render()) == page, "run `make bench-scans`, or write() of it"
