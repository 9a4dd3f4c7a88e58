"""Check the addresses that we call: public ones, and networks allowed by a setting.

Neither a webhook nor a phone's push service may be usable for requests into the internal network
(SSRF). So each attempt resolves the name, refuses addresses that are not public, and connects to
the checked address, which also prevents DNS rebinding.
"""

import socket
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from urllib.parse import urlsplit

from shield.errors import Invalid, Misconfigured

WEBHOOK_NETWORKS = "SHIELD_API_WEBHOOK_NETWORKS"
"""The setting that messages name, unless another one holds."""
_NAT64 = IPv6Network("64:ff9b::/96")
Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Target:
    """A URL with the resolved address of its host."""

    scheme: str
    host: str
    port: int
    path: str
    address: Address

    @property
    def pinned(self) -> str:
        """Return the URL with the address in place of the host."""
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    @property
    def authority(self) -> str:
        """Return the value of the `Host` header."""
        name = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}[self.scheme]
        return name if self.port == usual else f"{name}:{self.port}"


class Refused(Exception):
    """The host has no allowed address."""


def check_url(url: str, networks: Sequence[str], setting: str = WEBHOOK_NETWORKS) -> None:
    """Check a URL that is to be called, without resolving its host.

    Raises:
        Invalid: The URL is not allowed; the message says why.
    """
    scheme, host, _, _ = _parts(url)
    if scheme == "http" and not networks:
        raise Invalid(
            "url: write https://...; events are not sent in the clear. Only networks named in "
            f"{setting} may be told by http://."
        )
    try:
        address = ip_address(host)
    except ValueError:
        return
    if not allowed(address, networks, setting):
        raise Invalid(f"url: {_why(host, address, setting)}")


def resolve(url: str, networks: Sequence[str], setting: str = WEBHOOK_NETWORKS) -> Target:
    """Resolve the host of a URL.

    Raises:
        Refused: The host does not resolve, or only to addresses that are not allowed.
    """
    try:
        scheme, host, port, path = _parts(url)
        entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as fault:
        raise Refused(f"the name does not resolve ({fault})") from fault
    except Invalid as fault:
        raise Refused(fault.message) from fault
    addresses = [ip_address(str(entry[4][0]).partition("%")[0]) for entry in entries]
    # All of them: a name with a public and a private address is an attempt.
    for address in addresses:
        inside = _within(address, networks, setting)
        if not allowed(address, networks, setting) or (scheme == "http" and not inside):
            raise Refused(_why(host, address, setting))
    return Target(scheme, host, port, path, addresses[0])


def allowed(address: Address, networks: Sequence[str], setting: str = WEBHOOK_NETWORKS) -> bool:
    """Return whether an address is public or in an allowed network. Pure."""
    if _within(address, networks, setting):
        return True
    inner = _inner(address)
    return inner.is_global and not inner.is_multicast


def _inner(address: Address) -> Address:
    """Return the IPv4 address embedded in an IPv6 address, or `None`."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _within(address: Address, networks: Sequence[str], setting: str) -> bool:
    inner = _inner(address)
    try:
        return any(inner in ip_network(network) for network in networks)
    except ValueError as fault:
        raise Misconfigured(f"{setting}: {fault}. Write networks, e.g. `10.20.0.0/16`.") from fault


def _why(host: str, address: Address, setting: str) -> str:
    return (
        f"{host} is {address}, which is not a public address. An operator can allow its network by "
        f"{setting}."
    )


def _parts(url: str) -> tuple[str, str, int, str]:
    """Return scheme, host in ASCII, port and path with query."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as fault:
        raise Invalid(f"url: {fault}.") from fault
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise Invalid("url: write https://host/path.")
    if parts.username is not None or parts.password is not None:
        raise Invalid("url: leave out user and password; the signature authenticates the sender.")
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        raise Invalid("url: it contains blanks or control characters.")
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        # As it is resolved and named in the certificate; a header takes no other letters either.
        host = parts.hostname.encode("idna").decode() if not parts.hostname.isascii() else ""
    except UnicodeError as fault:
        raise Invalid(f"url: {parts.hostname} is not the name of a host ({fault}).") from fault
    port = port or {"https": 443, "http": 80}[parts.scheme]
    return parts.scheme, host or parts.hostname, port, path
