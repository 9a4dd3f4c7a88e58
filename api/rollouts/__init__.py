"""Which version serves whom: the split, its evidence, and requests to change it."""
