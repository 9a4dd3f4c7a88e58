"""Batches: sealed snapshots of approved corrections, leased to training runs."""
