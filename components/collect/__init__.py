"""Leases the approved corrections of one model type, and pins what the run starts from."""
