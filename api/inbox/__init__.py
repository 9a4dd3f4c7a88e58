"""People hear of it: what became of their reports, and where they were told wrong."""
