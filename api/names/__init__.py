"""Things found by the beginning of their id."""
