"""Signs the package, names it in the registry, and settles what becomes of the batch."""
