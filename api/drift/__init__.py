"""What is known of a champion since its release, and what the drift watch said of it."""
