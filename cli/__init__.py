"""`shieldctl`: may import everything; wires the doors together."""
