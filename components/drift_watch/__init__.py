"""Watches whether the model that serves still does what it was released for."""
