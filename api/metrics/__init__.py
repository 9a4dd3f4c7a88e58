"""Counts, rates and the five metrics; Prometheus."""
