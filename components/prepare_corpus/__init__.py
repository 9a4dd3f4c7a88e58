"""Reads the base corpora, holds tactics back if asked to, and freezes the golden set."""
