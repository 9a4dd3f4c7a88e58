"""Scans: judge messages and store the verdicts."""
