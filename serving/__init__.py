"""The model server, and the operator that decides which version it serves."""
