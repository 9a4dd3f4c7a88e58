"""Look-up of objects by a prefix of their id."""
