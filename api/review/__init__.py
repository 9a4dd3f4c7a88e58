"""Review: the queue, decisions, second looks and gold items."""
