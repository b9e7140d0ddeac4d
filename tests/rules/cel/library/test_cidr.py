"""Networks in expressions."""

from __future__ import annotations

import pytest

from tests.rules.cel.asking import ask, refused

TRUE = [
    "isCIDR('192.168.0.0/16')",
    "isCIDR('::1/128')",
    "isCIDR('192.168.0.1/16')",
    "cidr('192.168.0.0/24').containsIP(ip('192.168.0.1'))",
    "!cidr('192.168.0.0/24').containsIP(ip('192.168.1.1'))",
    "cidr('192.168.0.0/24').containsIP('192.168.0.1')",
    "!cidr('192.168.0.0/24').containsIP('192.168.1.1')",
    "!cidr('192.168.0.0/24').containsIP('::1')",
    "cidr('2001:db8::/32').containsIP('2001:db8:1::1')",
    "cidr('192.168.0.0/16').containsCIDR(cidr('192.168.10.0/24'))",
    "!cidr('192.168.1.0/24').containsCIDR(cidr('192.168.2.0/24'))",
    "cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24')",
    "!cidr('192.168.10.0/24').containsCIDR('192.168.0.0/16')",
    "!cidr('0.0.0.0/0').containsCIDR('::/0')",
    "cidr('192.168.0.1/24').ip() == ip('192.168.0.1')",
    "cidr('::1/128').ip().family() == 6",
    "cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24')",
    "cidr('192.168.0.0/24') == cidr('192.168.0.0/24').masked()",
    "cidr('192.168.0.1/24') != cidr('192.168.0.1/24').masked()",
    "cidr('192.168.0.0/16').prefixLength() == 16",
    "cidr('::1/128').prefixLength() == 128",
    "string(cidr('2001:DB8::/32')) == '2001:db8::/32'",
    "params.trusted.exists(n, cidr(n).containsIP(event.sourceIP))",
]

NO_NETWORKS = [
    "",
    "10.0.0.0",
    "10.0.0.0/",
    "/8",
    "192.168.0.0/33",
    "::1/129",
    "10.0.0.0/08",
    "10.0.0.0/+8",
    "10.0.0.0/255.0.0.0",
    "::ffff:10.0.0.0/104",
    "fe80::%eth0/64",
    "10.0.0.0/8 ",
]


@pytest.mark.parametrize("text", TRUE)
def test_networks_answer_as_in_kubernetes(text: str) -> None:
    """What Kubernetes' documentation says of a network holds."""
    given = {"params": {"trusted": ["10.0.0.0/8"]}, "event": {"sourceIP": "10.1.2.3"}}
    assert ask(text, **given) is True


@pytest.mark.parametrize("text", NO_NETWORKS)
def test_other_texts_are_no_networks(text: str) -> None:
    """A text that is no network is told from one, and refused as one."""
    assert ask("isCIDR(object)", object=text) is False
    assert refused("cidr(object)", object=text)


def test_a_text_that_is_no_address_is_in_no_network() -> None:
    """Asked whether it contains nonsense, a network does not say no: it is an error."""
    assert refused("cidr('10.0.0.0/8').containsIP(object)", object="nonsense")
    assert refused("cidr('10.0.0.0/8').containsCIDR(object)", object="nonsense")
