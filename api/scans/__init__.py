"""Verdicts: one message in, one answer out."""
