"""Where deliveries may go: public https addresses, and what the installation names besides.

Without this a webhook would be a way to make this server talk to its own neighbours (server-side request
forgery). The name is resolved here, every address of it must be allowed, and the connection goes to the
address that was checked, so a name that changes its answer gains nothing.
"""

import ipaddress
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from shiming.vocabulary.errors import BadInput, Text

URL_CHARACTERS_MAX = 500
_PORTS_NEVER = frozenset({0, 25})  # no mail by way of a header
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Iterable[str]]
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class DestinationRefused(BadInput):
    """A URL that deliveries may not go to."""

    def __init__(self, why: str, text: Text) -> None:
        super().__init__(
            "WEBHOOK_URL_REFUSED",
            text,
            Text(zh="请使用公网 https 地址。", en="Give an https URL with a public address."),
            {"why": why},
        )


@dataclass(frozen=True, slots=True)
class Destination:
    """A URL taken apart, and the checked address to connect to."""

    url: str
    host: str
    host_header: str
    url_by_address: str


def resolve_by_system(host: str, port: int) -> Iterable[str]:
    """Return the addresses of a name as the machine resolves it."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


@dataclass(frozen=True, slots=True)
class Destinations:
    """What is allowed: `loopback` also plain http to this machine (sandbox only), `networks` also those."""

    loopback: bool = False
    networks: tuple[Network, ...] = ()
    resolve: Resolve = resolve_by_system

    def check_form(self, url: str) -> None:
        """Raise DestinationRefused for a URL that is refused by its looks; no name is resolved yet."""
        parts, host, _ = self._parts(url)
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            if parts.scheme != "https" and host != "localhost":
                raise _scheme() from None
            return
        if not self._is_allowed(address, parts.scheme):
            raise _address()

    def settle(self, url: str) -> Destination:
        """Return where to connect to; raise DestinationRefused, or OSError when the name has no answer."""
        parts, host, port = self._parts(url)
        addresses = [ipaddress.ip_address(text.split("%")[0]) for text in self.resolve(host, port)]
        if not addresses or not all(self._is_allowed(address, parts.scheme) for address in addresses):
            raise _address()
        first = addresses[0]
        shown = f"[{first}]" if isinstance(first, ipaddress.IPv6Address) else str(first)
        by_address = parts._replace(netloc=f"{shown}:{port}").geturl()
        return Destination(url, host, host_header=parts.netloc, url_by_address=by_address)

    def _parts(self, url: str) -> tuple[SplitResult, str, int]:
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            raise _malformed() from None
        printable = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
        if len(url) > URL_CHARACTERS_MAX or not printable or not host or port in _PORTS_NEVER:
            raise _malformed()
        if parts.username is not None or parts.password is not None or parts.fragment or "@" in parts.netloc:
            raise _malformed()
        if parts.scheme != "https" and not (parts.scheme == "http" and self.loopback):
            raise _scheme()
        return parts, host, port or (443 if parts.scheme == "https" else 80)

    def _is_allowed(self, address: Address, scheme: str) -> bool:
        real = _unwrapped(address)
        if real.is_loopback:
            return self.loopback
        if scheme != "https":
            return False
        named = any(real.version == network.version and real in network for network in self.networks)
        return named or (real.is_global and not real.is_multicast)


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address stands for (mapped, 6to4, NAT64)."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address in _NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _scheme() -> DestinationRefused:
    return DestinationRefused("SCHEME", Text(zh="只允许 https 地址。", en="Only https is allowed."))


def _address() -> DestinationRefused:
    return DestinationRefused(
        "ADDRESS",
        Text(zh="不允许投递到该网络地址。", en="Its address is in a network that is not allowed."),
    )


def _malformed() -> DestinationRefused:
    return DestinationRefused(
        "FORM",
        Text(
            zh="地址格式不正确，或带有用户名或片段。", en="This is no plain URL (no user name, no fragment)."
        ),
    )
