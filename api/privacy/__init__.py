"""Erasure, consent, retention, and lineage in both directions."""
