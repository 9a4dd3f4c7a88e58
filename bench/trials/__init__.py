"""Simulated trials: what the rule that judges a version lets through, and what it refuses."""
