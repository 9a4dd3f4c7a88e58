"""The page about scans tells what was measured, part by part."""

from typing import Any

from bench.scans.aims import aims
from bench.scans.report import render

_SIDE = {"per_second": 100.0, "cpu_ms": 4.0, "p50_ms": 50.0, "p99_ms": 100.0}
_PEER = {
    "peer": _SIDE,
    "ours": _SIDE,
    "ours with the cascade": {**_SIDE, "per_second": 410.0},
    "ours, times": [1.0, 0.9, 1.1],
    "ours with the cascade, times": [4.1, 3.9, 4.4],
}
_WHEN = {"date": "2026-11-30T05:00:00+00:00", "load_before": 0.1, "load_after": 2.0}


def test_aims_are_told_of_what_was_measured_alone() -> None:
    growth = [
        {"rows": 10_000, "scan_ms": 4.0, "page_ms": 2.0},
        {"rows": 10_000_000, "scan_ms": 5.0, "page_ms": 4.0},
    ]
    figures = {"peers": {"ray": _PEER, "kserve": {"not_measured": "no"}}, "growth": growth}
    told = {aim["name"]: (aim["measured"], aim["met"]) for aim in aims(figures)}
    assert told == {
        "scans/s with the cascade over ray behind a front": (4.1, True),
        "a scan, 10,000 to 10,000,000 stored scans": (1.25, True),
        "own scans, 10,000 to 10,000,000 stored scans": (2.0, False),
    }


def test_the_page_has_the_parts_that_were_measured() -> None:
    figures: dict[str, Any] = {"peers": {"ray": _PEER, "kserve": {"not_measured": "no wheel"}}}
    result = {
        "figures": figures,
        "machine": {"cores": 2, "python": "3.11"},
        "measured": {"peers ray": _WHEN},
    }
    page = render(result)
    assert "| ray | 100 | 100 | 410 |" in page
    assert "4.10 [3.90, 4.40]" in page
    assert "kserve was not measured: no wheel" in page
    assert "| peers ray | 2026-11-30T05:00 | 0.1 | 2 |" in page
    assert "## Growth" not in page
