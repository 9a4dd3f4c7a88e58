"""Simulated drift: how soon the daily look notices it, and how often it alarms without any."""
