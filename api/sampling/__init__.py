"""Scans drawn for review although nobody reported them."""
