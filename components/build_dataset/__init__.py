"""Turns corrections and the base corpora into what `train` learns from and `evaluate` judges by."""
