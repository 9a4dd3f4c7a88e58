"""People who scan: consent, pseudonym, record."""
