"""Known campaigns of other deployments, and ours for them: signed feeds."""
