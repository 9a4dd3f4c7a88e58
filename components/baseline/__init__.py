"""Trains the linear yardstick and fallback on the same data as the transformer."""
