"""Rate limits per user and address: moving windows, in memory or (with replicas) in Redis."""

import math
import time
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import HTTPConnection

from shield.errors import Misconfigured, RateLimited, Unavailable


class Limiter:
    """Counts requests and refuses those over the limit."""

    def __init__(
        self, per_user: str, per_address: str, storage: str, trusted_proxies: str = ""
    ) -> None:
        self._proxies = _networks(trusted_proxies)
        self._per_user = _parsed(per_user)
        self._per_address = _parsed(per_address)
        self.is_remote = not storage.startswith("memory:")
        """Whether counting asks another process, so that it may take a while."""
        self._strategy = MovingWindowRateLimiter(storage_from_string(storage, wrap_exceptions=True))

    def address(self, connection: HTTPConnection) -> str:
        """Return whose address a request counts for.

        A gateway that we trust says who came through it, by adding to `X-Forwarded-For`. Read from
        its end: what stands before the first stranger was written by that stranger.
        """
        found = connection.client.host if connection.client else "unknown"
        if not self._proxies:
            return found
        said = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed([hop.strip() for hop in said if hop.strip()]):
            if not self._trusts(found):
                break
            found = hop
        return found

    def _trusts(self, address: str) -> bool:
        try:
            origin = ip_address(address)
        except ValueError:
            return False
        return any(origin in network for network in self._proxies)

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


def _networks(written: str) -> list[IPv4Network | IPv6Network]:
    found = []
    for part in filter(None, (part.strip() for part in written.split(","))):
        try:
            found.append(ip_network(part))
        except ValueError as fault:
            raise Misconfigured(
                f"{part!r} in SHIELD_API_TRUSTED_PROXIES is no network. Write e.g. `10.0.0.0/8`, "
                "with commas between."
            ) from fault
    return found


def _parsed(limit: str) -> RateLimitItem | None:
    try:
        return parse(limit) if limit.strip() else None
    except ValueError as fault:
        raise Misconfigured(
            f"{limit!r} is not a rate limit. Write e.g. `120/minute`, or nothing for no limit."
        ) from fault
