"""How fast a bad version is gone: from an undo to its last answer, under load."""
