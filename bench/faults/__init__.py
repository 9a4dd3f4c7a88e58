"""Faults of the world: what is lost, doubled and how soon it heals, while phones report."""
