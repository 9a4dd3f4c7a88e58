"""Sampling: unreported scans drawn for review."""
