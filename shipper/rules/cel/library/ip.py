"""IP addresses: `ip("10.0.0.1").isLoopback()`, and `isIP`, `ip.isCanonical`.

No zones, no IPv4 mapped into IPv6, no leading zeros. Source:
k8s.io/apiserver/pkg/cel/library/ip.go, and Go's net/netip for what each question means.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from shipper.rules.cel.library.function import IP, CallError, Function, held, hold

Address = IPv4Address | IPv6Address

_LINK_LOCAL = (IPv4Network("169.254.0.0/16"), IPv6Network("fe80::/10"))
_LINK_LOCAL_MULTICAST = IPv4Network("224.0.0.0/24")
_BROADCAST = IPv4Address("255.255.255.255")
_MAX_CHARS = 64


@lru_cache(maxsize=1024)
def parse(text: str) -> Address:
    """The address. Raises CallError."""
    try:
        address = ip_address(text) if len(text) <= _MAX_CHARS else None
    except ValueError:
        address = None
    if address is None:
        raise CallError("not an IP address")
    if isinstance(address, IPv6Address):
        if address.scope_id is not None or "%" in text:
            raise CallError("an IP address with a zone is not allowed")
        if address.ipv4_mapped is not None:
            raise CallError("an IPv4-mapped IPv6 address is not allowed")
    return address


def address_of(value: str) -> Address:
    """The address in a value of the type IP."""
    return parse(held(IP, value))


def is_ip(text: str) -> bool:
    try:
        parse(text)
    except CallError:
        return False
    return True


def _ip(text: str) -> str:
    return hold(IP, str(parse(text)))


def _is_canonical(text: str) -> bool:
    return str(parse(text)) == text


def _family(value: str) -> int:
    return address_of(value).version


def _is_unspecified(value: str) -> bool:
    return address_of(value).is_unspecified


def _is_loopback(value: str) -> bool:
    return address_of(value).is_loopback


def _is_link_local_multicast(value: str) -> bool:
    address = address_of(value)
    if isinstance(address, IPv4Address):
        return address in _LINK_LOCAL_MULTICAST
    return address.packed[0] == 0xFF and address.packed[1] & 0x0F == 0x02


def _is_link_local_unicast(value: str) -> bool:
    address = address_of(value)
    return any(address in network for network in _LINK_LOCAL)


def _is_global_unicast(value: str) -> bool:
    address = address_of(value)
    return not (
        address == _BROADCAST
        or address.is_unspecified
        or address.is_loopback
        or address.is_multicast
        or _is_link_local_unicast(value)
    )


def _string(value: str) -> str:
    return str(address_of(value))


FUNCTIONS = (
    Function("ip", "", ("string",), IP, _ip),
    Function("isIP", "", ("string",), "bool", is_ip),
    Function("ip.isCanonical", "", ("string",), "bool", _is_canonical),
    Function("family", IP, (), "int", _family),
    Function("isUnspecified", IP, (), "bool", _is_unspecified),
    Function("isLoopback", IP, (), "bool", _is_loopback),
    Function("isLinkLocalMulticast", IP, (), "bool", _is_link_local_multicast),
    Function("isLinkLocalUnicast", IP, (), "bool", _is_link_local_unicast),
    Function("isGlobalUnicast", IP, (), "bool", _is_global_unicast),
)
