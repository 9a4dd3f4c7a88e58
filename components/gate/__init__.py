"""Decides whether the challenger may replace the champion; the policy is `shield.gates`."""
