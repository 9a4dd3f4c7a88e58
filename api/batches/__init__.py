"""Sealed snapshots of approved corrections, leased to a run."""
