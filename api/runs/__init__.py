"""Pipeline runs and how they ended."""
