"""Ends a run, however it went: records the outcome and gives back what is still leased."""
