"""Webhooks: operators hear of what happens, signed, retried and replayable."""
