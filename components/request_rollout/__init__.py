"""Asks the API to bring a new version to its users."""
