"""Contests: senders of honest messages that are flagged say so, without an account."""
