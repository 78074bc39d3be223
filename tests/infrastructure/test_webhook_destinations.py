import ipaddress
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiming.infrastructure.webhooks.destinations import DestinationRefused, Destinations


def at(*addresses: str, loopback: bool = False, networks: tuple[str, ...] = ()) -> Destinations:
    allowed = tuple(ipaddress.ip_network(network) for network in networks)
    return Destinations(loopback=loopback, networks=allowed, resolve=lambda _host, _port: addresses)


def why(where: Destinations, url: str) -> str:
    with pytest.raises(DestinationRefused) as refused:
        where.settle(url)
    return str(refused.value.details["why"])


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "ftp://example.com/",
        "file:///etc/passwd",
        "//example.com/",
        "https://user@example.com/",
        "https://user:pass@example.com/",
        "https://@example.com/",
        "https://example.com/#part",
        "https://example.com:99999/",
        "https://example.com:25/",
        "https://exa mple.com/",
        "https://example.com\\@10.0.0.1/",
        "https://例子.中国/",
        "https:///path",
        "https://[::1/",
        "https://example.com/" + "x" * 500,
        "",
        "javascript:alert(1)",
    ],
)
def test_urls_that_are_refused_by_their_looks(url: str) -> None:
    assert why(at("93.184.216.34"), url) in {"SCHEME", "FORM"}
    with pytest.raises(DestinationRefused):
        Destinations().check_form(url)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "127.8.9.1",
        "::1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",  # metadata of clouds
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - an address to refuse
        "255.255.255.255",
        "224.0.0.1",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::a00:1",  # NAT64 of 10.0.0.1
        "64:ff9b::7f00:1",
        "2002:a00:1::1",  # 6to4 of 10.0.0.1
        "2002:7f00:1::1",
        "2001::1",  # Teredo
    ],
)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert why(at(address), "https://example.com/") == "ADDRESS"
    assert why(at("93.184.216.34", address), "https://example.com/") == "ADDRESS"  # one bad answer is enough


@given(st.ip_addresses(network="10.0.0.0/8") | st.ip_addresses(network="fd00::/8"))
def test_no_private_address_gets_through(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert why(at(str(address)), "https://example.com/") == "ADDRESS"


@pytest.mark.parametrize(
    ("address", "url", "by_address"),
    [
        ("93.184.216.34", "https://example.com/a?b=1", "https://93.184.216.34:443/a?b=1"),
        ("93.184.216.34", "https://EXAMPLE.com:8443/", "https://93.184.216.34:8443/"),
        ("2606:4700::1111", "https://example.com/", "https://[2606:4700::1111]:443/"),
    ],
)
def test_public_addresses_are_connected_to_by_the_checked_address(
    address: str, url: str, by_address: str
) -> None:
    found = at(address).settle(url)
    assert found.url_by_address == by_address
    assert found.host == "example.com"


@pytest.mark.parametrize(
    "url",
    ["https://10.0.0.1/", "https://[fd00::1]/", "https://169.254.169.254/latest", "http://example.com/"],
)
def test_what_can_be_seen_without_resolving_is_refused_at_once(url: str) -> None:
    for where in (Destinations(), Destinations(loopback=True)):
        with pytest.raises(DestinationRefused):
            where.check_form(url)


def test_urls_that_may_be_subscribed() -> None:
    for url in ("https://example.com/", "https://93.184.216.34/", "https://localhost/"):
        Destinations().check_form(url)  # what the name means is looked at before each delivery
    for url in ("http://localhost:1/", "http://127.0.0.1:1/", "http://[::1]:1/"):
        Destinations(loopback=True).check_form(url)


def test_nobody_without_an_address() -> None:
    assert why(at(), "https://example.com/") == "ADDRESS"


def test_what_the_installation_names_is_allowed_and_only_that() -> None:
    named = at("10.1.2.3", networks=("10.1.0.0/16", "fd00::/8"))
    assert named.settle("https://crm.internal/").url_by_address == "https://10.1.2.3:443/"
    assert why(named, "http://crm.internal/") == "SCHEME"
    assert why(at("10.2.0.1", networks=("10.1.0.0/16",)), "https://crm.internal/") == "ADDRESS"
    assert why(at("127.0.0.1", networks=("127.0.0.0/8",)), "https://crm.internal/") == "ADDRESS"


def test_loopback_in_the_sandbox_also_without_tls_and_nothing_else_so() -> None:
    sandbox = at("127.0.0.1", loopback=True)
    assert sandbox.settle("http://localhost:8080/x").url_by_address == "http://127.0.0.1:8080/x"
    assert why(at("93.184.216.34", loopback=True), "http://example.com/") == "ADDRESS"
    assert why(at("10.0.0.1", loopback=True), "http://example.com/") == "ADDRESS"


def test_names_are_resolved_by_the_machine() -> None:
    assert Destinations(loopback=True).settle("https://localhost/").host == "localhost"
    with pytest.raises(socket.gaierror):
        Destinations().settle("https://no-such-name.invalid/")
