"""Networks: `cidr("10.0.0.0/8").containsIP("10.1.2.3")`, and `isCIDR`.

An address with bits behind the prefix is a value too (`masked` drops them), as in Go's net/netip.
Source: k8s.io/apiserver/pkg/cel/library/cidr.go.
"""

from __future__ import annotations

import re
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

from shipper.rules.cel.library import ip
from shipper.rules.cel.library.function import CIDR, IP, CallError, Function, held, hold

_FORM = re.compile(r"([^/]+)/(0|[1-9][0-9]{0,2})", re.ASCII)


class Prefix(NamedTuple):
    """An address and how many of its bits name the network."""

    address: ip.Address
    network: IPv4Network | IPv6Network


@lru_cache(maxsize=1024)
def parse(text: str) -> Prefix:
    """The address and its network. Raises CallError."""
    form = _FORM.fullmatch(text)
    if form is None:
        raise CallError("not a network in CIDR notation")
    address = ip.parse(form[1])
    if int(form[2]) > address.max_prefixlen:
        raise CallError("not a network in CIDR notation: the prefix is too long")
    return Prefix(address, ip_network((address, int(form[2])), strict=False))


def _prefix(value: str) -> Prefix:
    return parse(held(CIDR, value))


def _text(prefix: Prefix) -> str:
    return f"{prefix.address}/{prefix.network.prefixlen}"


def _cidr(text: str) -> str:
    return hold(CIDR, _text(parse(text)))


def _is_cidr(text: str) -> bool:
    try:
        parse(text)
    except CallError:
        return False
    return True


def _contains_ip(value: str, other: str) -> bool:
    address = ip.address_of(other) if other.startswith(IP) else ip.parse(other)
    return address in _prefix(value).network


def _contains_cidr(value: str, other: str) -> bool:
    outer = _prefix(value).network
    inner = (_prefix(other) if other.startswith(CIDR) else parse(other)).network
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _ip(value: str) -> str:
    return hold(IP, str(_prefix(value).address))


def _masked(value: str) -> str:
    return hold(CIDR, str(_prefix(value).network))


def _prefix_length(value: str) -> int:
    return _prefix(value).network.prefixlen


FUNCTIONS = (
    Function("cidr", "", ("string",), CIDR, _cidr),
    Function("isCIDR", "", ("string",), "bool", _is_cidr),
    Function("containsIP", CIDR, ("string",), "bool", _contains_ip),
    Function("containsIP", CIDR, (IP,), "bool", _contains_ip),
    Function("containsCIDR", CIDR, ("string",), "bool", _contains_cidr),
    Function("containsCIDR", CIDR, (CIDR,), "bool", _contains_cidr),
    Function("ip", CIDR, (), IP, _ip),
    Function("masked", CIDR, (), CIDR, _masked),
    Function("prefixLength", CIDR, (), "int", _prefix_length),
)
