"""The queue, decisions, second looks and gold items."""
