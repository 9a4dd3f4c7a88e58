"""Fine-tune the champion on what its users taught, and write a package."""
