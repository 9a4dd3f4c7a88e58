"""Users: consent, pseudonym, record and pairing codes."""
