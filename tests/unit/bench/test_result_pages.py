"""The pages that quote benchmarks say what bench/results/ says."""

from pathlib import Path

import pytest

from bench import pages
from bench.known import report
from bench.marks import between

RENDERED = pages.render()


@pytest.mark.parametrize("page", RENDERED, ids=str)
def test_a_page_says_what_was_measured(page: Path) -> None:
    assert page.read_text() == RENDERED[page], "run `python -m bench.pages`"


def test_all_aims_of_all_results_are_told() -> None:
    told = RENDERED[pages.AIMS]
    for result in sorted(pages.RESULTS.glob("*.json")):
        if '"aims"' not in result.read_text():
            continue
        for aim in pages.aims_of(result.stem):
            assert f"{aim['name']} |" in told


def test_a_missed_aim_stands_out() -> None:
    result = pages.result_of("known")
    slow = {**result["figures"]["scans"], "without_p50_ms": 1.0, "with_p50_ms": 1.2}
    table = report.render({"figures": {**result["figures"], "scans": slow}})
    assert "**+20% (1.00 ms without, 1.20 ms with): missed**" in table


def test_a_page_without_marks_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("Figures\n")
    with pytest.raises(ValueError, match="has no lines"):
        between(page, "known", "| 1 |\n")
