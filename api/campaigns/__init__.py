"""Near-identical messages, seen as one."""
