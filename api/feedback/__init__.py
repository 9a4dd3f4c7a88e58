"""Users' reports about verdicts."""
