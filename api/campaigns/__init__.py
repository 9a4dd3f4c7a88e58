"""Campaigns: groups of near-identical messages."""
