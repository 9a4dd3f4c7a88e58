"""Scans that nobody reported and that a reviewer looks at all the same."""
