"""Cells that are safe to open in a spreadsheet, and back (OWASP, "CSV Injection")."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def guarded(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula; `unguarded` gives it back."""
    return f"'{cell}" if _is_formula(cell) else cell


def unguarded(cell: str) -> str:
    """Return what `guarded` was given."""
    return cell[1:] if cell.startswith("'") and _is_formula(cell) else cell


def _is_formula(cell: str) -> bool:
    # Apostrophes before it do not count, so that one more or less changes nothing here.
    return cell.lstrip("'").lstrip(" ").startswith(_FORMULA)
