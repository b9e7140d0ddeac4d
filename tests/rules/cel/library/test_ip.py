"""IP addresses in expressions."""

from __future__ import annotations

import pytest

from tests.rules.cel.asking import ask, refused

TRUE = [
    "isIP('127.0.0.1')",
    "isIP('::1')",
    "ip('127.0.0.1').family() == 4",
    "ip('::1').family() == 6",
    "ip.isCanonical('127.0.0.1')",
    "ip.isCanonical('2001:db8::abcd')",
    "!ip.isCanonical('2001:DB8::ABCD')",
    "!ip.isCanonical('2001:db8::0:0:0:abcd')",
    "ip('0.0.0.0').isUnspecified()",
    "!ip('127.0.0.1').isUnspecified()",
    "ip('::').isUnspecified()",
    "!ip('::1').isUnspecified()",
    "ip('127.0.0.1').isLoopback()",
    "ip('127.200.0.1').isLoopback()",
    "!ip('192.168.0.1').isLoopback()",
    "ip('::1').isLoopback()",
    "!ip('2001:db8::abcd').isLoopback()",
    "ip('224.0.0.1').isLinkLocalMulticast()",
    "!ip('224.0.1.1').isLinkLocalMulticast()",
    "ip('ff02::1').isLinkLocalMulticast()",
    "!ip('fd00::1').isLinkLocalMulticast()",
    "ip('169.254.169.254').isLinkLocalUnicast()",
    "!ip('192.168.0.1').isLinkLocalUnicast()",
    "ip('fe80::1').isLinkLocalUnicast()",
    "!ip('fd80::1').isLinkLocalUnicast()",
    "ip('192.168.0.1').isGlobalUnicast()",
    "!ip('255.255.255.255').isGlobalUnicast()",
    "!ip('0.0.0.0').isGlobalUnicast()",
    "!ip('169.254.1.1').isGlobalUnicast()",
    "ip('2001:db8::abcd').isGlobalUnicast()",
    "!ip('ff00::1').isGlobalUnicast()",
    "ip('2001:DB8::1') == ip('2001:db8:0::1')",
    "ip('10.0.0.1') != ip('10.0.0.2')",
    "string(ip('2001:DB8::1')) == '2001:db8::1'",
    "event.sourceIPs.all(s, ip(s).isGlobalUnicast())",
]

NO_ADDRESSES = [
    "",
    "127.0.0.256",
    "127.0.0",
    "127.0.0.01",
    ":::1",
    "::ffff:1.2.3.4",
    "fe80::1%eth0",
    "127.0.0.1/8",
    " 127.0.0.1",
    "\u0661.1.1.1",
    "1" * 100,
]


@pytest.mark.parametrize("text", TRUE)
def test_addresses_answer_as_in_kubernetes(text: str) -> None:
    """What Kubernetes' documentation says of an address holds."""
    assert ask(text, event={"sourceIPs": ["10.1.2.3", "2001:db8::1"]}) is True


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_other_texts_are_no_addresses(text: str) -> None:
    """Zones, IPv4 within IPv6 and leading zeros are refused like any other text."""
    assert ask("isIP(object)", object=text) is False
    assert refused("ip(object)", object=text)
    assert refused("ip.isCanonical(object)", object=text)
