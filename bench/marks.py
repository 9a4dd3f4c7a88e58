"""The parts of a page that a benchmark writes stand between two marks."""

from pathlib import Path


def between(page: Path, mark: str, figures: str) -> str:
    """Return the text of a page with the figures between the marks of that name."""
    begin, end = f"<!-- {mark}: written by `python -m bench.pages` -->\n", f"<!-- end of {mark} -->"
    head, begun, rest = page.read_text().partition(begin)
    _, ended, tail = rest.partition(end)
    if not (begun and ended):
        raise ValueError(f"{page} has no lines {begin.strip()!r} and {end!r}")
    return f"{head}{begin}{figures}{end}{tail}"
