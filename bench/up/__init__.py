"""From `shieldctl up` on a new data directory to the first verdict of each model type."""
