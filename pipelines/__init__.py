"""The retraining graph, its compiled form, its schedule, and the door to whatever runs it."""
