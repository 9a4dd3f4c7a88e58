"""Evidence of drift since a champion's release, and the results of the drift watch."""
