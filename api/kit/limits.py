"""Rate limits per user and client address: moving windows in memory or, for replicas, in Redis."""

import math
import time
from collections import defaultdict
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from limits import RateLimitItem, parse
from limits.errors import StorageError
from limits.storage import storage_from_string
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import HTTPConnection

from api.kit.windows import MovingWindows
from shield.errors import Misconfigured, RateLimited, Unavailable

_ONCE_AN_HOUR = parse("1/hour")
_HOST_BITS = 64
"""Bits of an IPv6 address that its owner chooses."""


class Limiter:
    """Counts requests and refuses those over a limit."""

    def __init__(
        self,
        per_user: str,
        per_address: str,
        storage: str,
        trusted_proxies: str = "",
        *,
        proxy_hops: int = 1,
        reads_per_user: str = "",
        contests_per_address: str = "",
    ) -> None:
        self._proxies = _networks(trusted_proxies)
        self._hops = proxy_hops
        self._per_user = _parsed(per_user)
        self._reads_per_user = _parsed(reads_per_user)
        self._per_address = _parsed(per_address)
        self._contests_per_address = _parsed(contests_per_address)
        self.is_remote = not storage.startswith("memory:")
        """Whether counting calls another process and may block."""
        self._windows: dict[RateLimitItem, MovingWindows] = defaultdict(MovingWindows)
        self._strategy = (
            MovingWindowRateLimiter(storage_from_string(storage, wrap_exceptions=True))
            if self.is_remote
            else None
        )

    def address(self, connection: HTTPConnection) -> str:
        """Return the client address that a request counts for; of IPv6 the network of a customer.

        A trusted gateway appends its client's address to `X-Forwarded-For`. As many entries are
        used as there are gateways in a row, counted from the end; earlier entries were written by
        the client. A private address is not trusted as such, since clients have them too.
        """
        peer = connection.client.host if connection.client else "unknown"
        if not self._trusts(peer):
            return _counted_as(peer)
        said = ",".join(connection.headers.getlist("x-forwarded-for")).split(",")
        entries = [entry.strip() for entry in said if entry.strip()]
        return _counted_as(entries[-min(self._hops, len(entries))] if entries else peer)

    def _trusts(self, address: str) -> bool:
        if not self._proxies:
            return False
        origin = parsed_address(address)
        return origin is not None and any(origin in network for network in self._proxies)

    def check(self, user: str, address: str) -> None:
        """Count one request.

        Raises:
            RateLimited: Too many requests from this user or this address.
            Unavailable: The shared counter does not answer.
        """
        self._count(self._per_user, "user", user)
        self._count(self._per_address, "address", address)

    def check_read(self, user: str) -> None:
        """Count one request that only reads. Raises as `check`."""
        self._count(self._reads_per_user, "reader", user)

    def check_contest(self, address: str) -> None:
        """Count what somebody without an account contests. Raises as `check`."""
        self._count(self._contests_per_address, "address", f"contest {address}")

    def is_first(self, deed: str, name: str) -> bool:
        """Record `deed` for a name; return whether it is the first within the last hour.

        Raises:
            Unavailable: The shared counter does not answer.
        """
        return not self._hit(_ONCE_AN_HOUR, deed, name)

    def _count(self, limit: RateLimitItem | None, kind: str, name: str) -> None:
        seconds = self._hit(limit, kind, name) if limit is not None else 0.0
        if not seconds:
            return
        wait = max(1, math.ceil(seconds))
        raise RateLimited(
            f"Too many requests from this {kind} ({limit}). Try again in {wait} s.",
            retry_after_seconds=wait,
        )

    def _hit(self, limit: RateLimitItem, kind: str, name: str) -> float:
        """Count one request; return 0, or the seconds until the next one is allowed."""
        if self._strategy is None:
            return self._windows[limit].hit(limit.amount, limit.get_expiry(), kind, name)
        try:
            if self._strategy.hit(limit, kind, name):
                return 0.0
            reset = self._strategy.get_window_stats(limit, kind, name).reset_time
        except StorageError as fault:
            raise Unavailable(
                "The rate limit counter does not answer. Check SHIELD_API_RATE_STORAGE.",
                retry_after_seconds=2,
            ) from fault
        return max(0.001, reset - time.time())


def parsed_address(written: str) -> IPv4Address | IPv6Address | None:
    """Return an address as gateways write it: with a port, in brackets, or mapped to IPv6."""
    host, _, port = written.rpartition(":")
    if written.startswith("["):
        host = written[1:].partition("]")[0]
    elif host.count(".") != 3 or not port.isdigit():
        host = written
    try:
        parsed = ip_address(host)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed


@lru_cache(maxsize=4096)
def _counted_as(written: str) -> str:
    """Return what requests of an address are counted under.

    Each customer has at least a /64 of IPv6, and so as many addresses as they like.
    """
    parsed = parsed_address(written)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((int(parsed) >> _HOST_BITS << _HOST_BITS, 128 - _HOST_BITS)))
    return written if parsed is None else str(parsed)


def _networks(written: str) -> list[IPv4Network | IPv6Network]:
    networks = []
    for part in filter(None, (part.strip() for part in written.split(","))):
        try:
            networks.append(ip_network(part))
        except ValueError as fault:
            raise Misconfigured(
                f"{part!r} in SHIELD_API_TRUSTED_PROXIES is not a network. Write the network of "
                "your gateway's pods alone, e.g. `10.42.7.0/24`, with commas between."
            ) from fault
    return networks


def _parsed(limit: str) -> RateLimitItem | None:
    try:
        return parse(limit) if limit.strip() else None
    except ValueError as fault:
        raise Misconfigured(
            f"{limit!r} is not a rate limit. Write e.g. `120/minute`, or nothing for no limit."
        ) from fault
