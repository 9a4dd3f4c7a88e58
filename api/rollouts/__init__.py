"""Rollouts: the split of users between versions, its evidence, and requests to change it."""
