"""One small server per peer; each runs in its own environment."""
