"""Webhooks: signed events with retries and replay."""
