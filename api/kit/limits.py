"""Rate limits per user and address: moving windows, in memory or (with replicas) in Redis."""

import math
import time

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter

from shield.errors import Misconfigured, RateLimited, Unavailable


class Limiter:
    """Counts requests and refuses those over the limit."""

    def __init__(self, per_user: str, per_address: str, storage: str) -> None:
        self._per_user = _parsed(per_user)
        self._per_address = _parsed(per_address)
        self._strategy = MovingWindowRateLimiter(storage_from_string(storage, wrap_exceptions=True))

    def check(self, user: str, address: str) -> None:
        """Count one request.

        Raises:
            RateLimited: Too many, from this user or this address.
            Unavailable: The shared counter does not answer.
        """
        for limit, kind, name in (
            (self._per_user, "user", user),
            (self._per_address, "address", address),
        ):
            if limit is None:
                continue
            try:
                if self._strategy.hit(limit, kind, name):
                    continue
                reset = self._strategy.get_window_stats(limit, kind, name).reset_time
            except StorageError as fault:
                raise Unavailable(
                    "The rate limit counter does not answer. Check SHIELD_API_RATE_STORAGE.",
                    retry_after_seconds=2,
                ) from fault
            wait = max(1, math.ceil(reset - time.time()))
            raise RateLimited(
                f"Too many requests from this {kind} ({limit}). Try again in {wait} s.",
                retry_after_seconds=wait,
            )


def _parsed(limit: str) -> RateLimitItem | None:
    try:
        return parse(limit) if limit.strip() else None
    except ValueError as fault:
        raise Misconfigured(
            f"{limit!r} is not a rate limit. Write e.g. `120/minute`, or nothing for no limit."
        ) from fault
