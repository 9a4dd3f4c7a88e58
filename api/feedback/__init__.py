"""What users say of verdicts."""
